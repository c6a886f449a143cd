// A place of the picture, and looking at it.

// zoom: screen pixels (CSS) per picture pixel
export function lookAt(viewer, { x, y, zoom }) {
  const { viewport, dpr } = viewer;
  viewer.moved(() => {
    Object.assign(viewport, { cx: x, cy: y });
    viewport.setScale(zoom * dpr);
    viewport.keepInside();
  });
}

export function placeOf({ viewport, dpr }) {
  return { x: viewport.cx, y: viewport.cy, zoom: viewport.scale / dpr };
}
