//VERSION=3
// How a radar track sees the ground: local incidence angle in steps of 0.01 degree (0 is "no data"), and 1 where the
// slope lies in layover or radar shadow.
function setup() {
  return {
    input: [{ bands: ["localIncidenceAngle", "shadowMask", "dataMask"] }],
    output: { bands: 2, sampleType: "UINT16" },
  };
}

function evaluatePixel(sample) {
  if (sample.dataMask === 0) {
    return [0, 0];
  }
  var steps = Math.floor(sample.localIncidenceAngle * 100 + 0.5);
  return [Math.max(1, steps), sample.shadowMask > 0 ? 1 : 0];
}
