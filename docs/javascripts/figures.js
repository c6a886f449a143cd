// Draws the figures of executed notebooks, which lie in the page as JSON.
for (const place of document.querySelectorAll(".gsr-figure")) {
  const figure = JSON.parse(place.querySelector("script").textContent);
  const options = { responsive: true, displaylogo: false };
  Plotly.newPlot(place, figure.data, figure.layout, options);
}
