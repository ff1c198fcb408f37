//VERSION=3
function setup() {
   return {
      input: ["B04", "B08", "dataMask"],
      output: { bands: 1, sampleType: "FLOAT32", nodataValue: NaN }
   }
}

function evaluatePixel(sample) {
   if (sample.dataMask == 0) return [NaN];
   return [(sample.B08 - sample.B04) / (sample.B08 + sample.B04)]
}
