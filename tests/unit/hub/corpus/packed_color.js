//VERSION=3
function setup() {
  return { input: [{ bands: ["B02", "B03", "B04"], units: "DN" }], output: { bands: 3, sampleType: "UINT8" } };
}
function evaluatePixel(s) {
  const packed = rgb2int([s.B04 % 256, s.B03 % 256, s.B02 % 256]);
  return int2rgb(packed);
}
