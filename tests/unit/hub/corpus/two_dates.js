//VERSION=3
// Change between two days of a longer time range: everything else is filtered out before any pixel is read.
function setup() {
  return {
    input: [{ bands: ["B04", "B08"] }],
    output: { bands: 1, sampleType: "FLOAT32" },
    mosaicking: "ORBIT"
  };
}

function preProcessScenes (collections) {
    var allowedDates = ["2019-07-04", "2019-07-08"]; //before and after
    collections.scenes.orbits = collections.scenes.orbits.filter(function (orbit) {
        var orbitDateFrom = orbit.dateFrom.split("T")[0];
        return allowedDates.includes(orbitDateFrom);
    })
    return collections
}

function evaluatePixel(samples) {
  var before = samples[1], after = samples[0];
  return [index(after.B08, after.B04) - index(before.B08, before.B04)];
}
