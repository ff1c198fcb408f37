//VERSION=3
function setup() {
  return {
    input: [
      { datasource: "s2", bands: ["B04", "B08", "SCL"] },
      { datasource: "s1", bands: ["VH"] },
    ],
    output: [{ bands: 2, sampleType: SampleType.FLOAT32 }],
  };
}

function evaluatePixel(samples) {
  var optical = samples.s2[0];
  var radar = samples.s1[0];
  if (8 <= optical.SCL && optical.SCL <= 10) {
    return [0, radar.VH];
  }
  return [1, index(optical.B08, optical.B04)];
}
