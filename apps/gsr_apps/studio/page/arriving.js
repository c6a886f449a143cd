// Files that come to the page by themselves: dropped on it, or pasted.

// area: marked while files hang over it; open(file, how many came)
export function receive(area, open) {
  const onScreen = () => area.offsetParent !== null; // not behind the other tab
  const mark = (on) => area.classList.toggle("gsr-dropping", on);
  addEventListener("dragover", (event) => {
    event.preventDefault(); // else the browser would leave the page for the file
    mark(onScreen() && [...(event.dataTransfer?.types ?? [])].includes("Files"));
  });
  addEventListener("dragleave", (event) => event.relatedTarget || mark(false));
  addEventListener("drop", (event) => {
    event.preventDefault();
    mark(false);
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length && onScreen()) open(files.find(isPicture) ?? files[0], files.length);
  });
  addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])].filter(isPicture);
    if (files.length && onScreen()) open(files[0], files.length);
  });
}

function isPicture(file) {
  return file.type.startsWith("image/") || file.name.endsWith(".gsf");
}
