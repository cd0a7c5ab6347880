const ms = require("ms");

// Greets a visitor and says in seconds how long the visit is.
exports.handler = async (event) => {
  const { name = "World", stay = "0s" } = event.data ?? {};
  console.log(`Greeting ${name} for event ${event.id}`);
  return {
    specversion: "1.0",
    // Derived, not random: an event that is delivered twice gets the same answer twice.
    id: `greeting-of-${event.id}`,
    source: "/examples/hello-node",
    type: "com.example.visit.greeted",
    datacontenttype: "application/json",
    data: { message: `Hello, ${name}!`, staySeconds: ms(stay) / 1000 },
  };
};
