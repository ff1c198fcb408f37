//VERSION=3
let setup = function () {
  return {
    input: [{ bands: ["B03", "B04", "B08"] }],
    output: [{ bands: 3, sampleType: "AUTO" }],
    mosaicking: Mosaicking.SIMPLE,
  };
};

let evaluatePixel = function (s) {
  return [s.B08, s.B04, s.B03];
};
