//VERSION=3
function setup() {
  return { input: ["B03", "dataMask"], output: { bands: 2, sampleType: "FLOAT32" }, mosaicking: Mosaicking.ORBIT };
}

function preProcessScenes (collections) {
    collections.scenes.orbits = collections.scenes.orbits.filter(function (orbit) {
        var orbitDateFrom = new Date(orbit.dateFrom)
        return orbitDateFrom.getTime() >= (collections.to.getTime()-3*24*3600*1000);
    })
    return collections
}

function evaluatePixel(samples) {
  return [Math.max(...samples.map((s) => s.B03)), samples.length];
}
