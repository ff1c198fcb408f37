//VERSION=3
// A fourth band is how opaque a pixel is: nothing is seen where there is no data.
function setup() {
  return {
    input: ["B02", "B03", "B04", "dataMask"],
    output: { bands: 4 },
  };
}

const gain = 2.5;

function evaluatePixel({ B02, B03, B04, dataMask }) {
  return [...[B04, B03, B02].map((value) => gain * value), dataMask];
}
