// Plotly, fetched from this app when a figure is first wanted.

let loading = null;

export function loadPlotly(base) {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = String(new URL("plotly.js", base));
    script.onload = () => resolve(/** @type {any} */ (window).Plotly);
    script.onerror = () => {
      loading = null;
      reject(new Error("The figure could not be loaded. Is the app still running?"));
    };
    document.head.append(script);
  });
  return loading;
}
