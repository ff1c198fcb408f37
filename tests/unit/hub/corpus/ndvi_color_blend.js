//VERSION=3
function setup() {
  return { input: ["B04", "B08"], output: { bands: 3 } };
}

function evaluatePixel(s) {
  var ndvi = index(s.B08, s.B04);
  return colorBlend(ndvi,
    [-0.2, 0, 0.3, 0.8],
    [[0.05, 0.05, 0.05], [0.75, 0.75, 0.75], [0.5, 0.7, 0.2], [0, 0.25, 0]]);
}
