//VERSION=3
// One collection twice: the greenest of each window, and the numbers of looks.
function setup() {
  return {
    input: ["before", "after"].map((datasource) => ({
      datasource, bands: ["B04", "B08", "dataMask"], mosaicking: "ORBIT",
    })),
    output: { bands: 3, sampleType: "FLOAT32" },
  };
}

const greenest = (looks) =>
  Math.max(...looks.filter((s) => s.dataMask).map((s) => index(s.B08, s.B04)));

function evaluatePixel(samples, scenes) {
  return [
    greenest(samples.after) - greenest(samples.before),
    scenes.before.scenes.orbits.length,
    scenes.after.scenes.orbits.length,
  ];
}
