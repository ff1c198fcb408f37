//VERSION=3
function setup() {
  return { input: ["VH"], output: { id: "default", bands: 1 } }
}
function evaluatePixel(samples) {
  // displays VH in decibels from -20 to 0
  return [Math.max(0, Math.log(samples.VH) * 0.21714724095 + 1)]
}
