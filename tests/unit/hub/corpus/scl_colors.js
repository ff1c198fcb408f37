//VERSION=3
function setup() {
  return { input: ["SCL"], output: { bands: 3 } };
}

function RGBToColor(r, g, b) {
  return [r / 255, g / 255, b / 255];
}

function evaluatePixel(samples) {
  const SCL = samples.SCL;
  switch (SCL) {
    case 0: return RGBToColor(0, 0, 0);
    case 1: return RGBToColor(255, 0, 4);
    case 3: return RGBToColor(119, 63, 10);
    case 4: return RGBToColor(0, 255, 59);
    case 5: return RGBToColor(255, 230, 90);
    case 6: return RGBToColor(0, 0, 255);
    case 8:
    case 9: return RGBToColor(255, 255, 255);
    case 11: return RGBToColor(255, 150, 255);
    default: return RGBToColor(128, 128, 128);
  }
}
