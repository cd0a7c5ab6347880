/**
 * Does the work of one tick of schedule.yaml.
 * A tick may be delivered twice: work that was done already should do no harm.
 */
exports.handler = async (event) => {
  console.log(`Writing the ${event.data.report} report of ${event.time}`);
};
