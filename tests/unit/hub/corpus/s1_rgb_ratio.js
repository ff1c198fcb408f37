//VERSION=3
function setup() {
  return {
    input: ["VV", "VH", "dataMask"],
    output: { bands: 4 }
  }
}

function evaluatePixel(samples) {
  const VV = samples.VV
  const VH = samples.VH
  return [2 * VV, 3 * VH, VV / VH / 100.0, samples.dataMask]
}
