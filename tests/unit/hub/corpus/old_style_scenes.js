//VERSION=3
// `scenes` as an array with dates: the older way, still found in published scripts.
function setup() {
  return { input: ["B08"], output: { bands: 2, sampleType: "FLOAT32" }, mosaicking: "ORBIT" };
}
function evaluatePixel(samples, scenes) {
  var newest = 0;
  for (var i = 1; i < scenes.length; i++) {
    if (scenes[i].date.getTime() > scenes[newest].date.getTime()) newest = i;
  }
  return [samples[newest].B08, scenes[newest].date.getUTCDate()];
}
