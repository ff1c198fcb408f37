//VERSION=3
// One look a week, oldest first; the variables of the filter are never declared.
function setup() {
  return { input: ["B02"], output: { bands: 4, sampleType: "FLOAT32" }, mosaicking: "ORBIT" };
}

function preProcessScenes (collections) {
    collections.scenes.orbits.sort(function (s1, s2) {
            var date1 = new Date(s1.dateFrom);
            var date2 = new Date(s2.dateFrom);
            return date1 - date2}) // ascending

    firstOrbitDate = new Date(collections.scenes.orbits[0].dateFrom)
    previousWeek = -1
    collections.scenes.orbits = collections.scenes.orbits.filter(function (orbit) {
        week = Math.floor((new Date(orbit.dateFrom) - firstOrbitDate) / (7*24*3600*1000))
        if (week != previousWeek) {
            previousWeek = week;
            return true;
        } else return false;
    })
    return collections
}

function evaluatePixel(samples) {
  return samples.map(function (s) { return s.B02 });
}
