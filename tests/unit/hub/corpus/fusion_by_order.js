//VERSION=3
function setup() {
  return {
    input: [
      {bands: ["B02", "B03", "B04"], units: "REFLECTANCE", mosaicking: "ORBIT"},
      {bands: ["DEM"]}
    ],
    output: [
      {bands: 3, sampleType: SampleType.AUTO}
    ]
  }
}

function evaluatePixel(samples) {
  var mosaics = samples['0']; // the first of the request's data sources
  var sample = mosaics[0];
  var height = samples['1'][0].DEM;
  if (height > 400) {
    return [sample.B04, sample.B03, sample.B02];
  }
  return [0, 0, 0];
}
