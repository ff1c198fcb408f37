//VERSION=3
// A cloud-free mosaic without a cloud mask: the darkest quarter of the observations.
function setup() {
  return { input: [{ bands: ["B04", "B03", "B02"] }], output: { bands: 3 }, mosaicking: "ORBIT" };
}

function getValue(values) {
  values.sort(function (a, b) { return a - b; });
  return getFirstQuartile(values);
}

function getFirstQuartile(sortedValues) {
  var index = Math.floor(sortedValues.length / 4);
  return sortedValues[index];
}

function validate(sample) {
  if (sample.B02 == 0 && sample.B03 == 0 && sample.B04 == 0) return false;
  return true;
}

function evaluatePixel(samples) {
  var reds = [], greens = [], blues = [];
  var a = 0;
  for (var i = 0; i < samples.length; i++) {
    var sample = samples[i];
    if (!validate(sample)) continue;
    reds[a] = sample.B04; greens[a] = sample.B03; blues[a] = sample.B02;
    a = a + 1;
  }
  if (a == 0) return [0, 0, 0];
  return [getValue(reds), getValue(greens), getValue(blues)];
}
