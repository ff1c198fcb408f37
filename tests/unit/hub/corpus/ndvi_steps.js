//VERSION=3
// Nested conditions, as many published scripts write them.
function evaluatePixel(samples) {
    let val = index(samples.B08, samples.B04);
    if (val < -0.5) return [0.05, 0.05, 0.05];
    else if (val < 0) return [0.75, 0.75, 0.75];
    else if (val < 0.2) return [0.86, 0.86, 0.86];
    else if (val < 0.5) return [1, 0.98, 0.8];
    else return [0, 0.27, 0];
}

function setup() {
  return {
    input: [{
      bands: [
        "B04",
        "B08"
      ]
    }],
    output: { bands: 3 }
  }
}
