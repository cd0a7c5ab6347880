/**
 * Handles one CloudEvent: `event.type` and the like are its attributes, `event.data` is its data.
 * Return data, a CloudEvent of your own, or nothing.
 */
exports.handler = async (event) => {
  const { name = "World" } = event.data ?? {};
  return { message: `Hello, ${name}!` };
};
