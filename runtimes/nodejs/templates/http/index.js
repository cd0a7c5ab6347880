/**
 * Answers one HTTP request of any method and path; request and response are Express's.
 * `handler` may also be an Express application.
 */
exports.handler = (request, response) => {
  const { name = "World" } = request.query;
  response.json({ message: `Hello, ${name}!` });
};
