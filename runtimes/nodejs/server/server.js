"use strict";
// Start of the runtime: serves the one function that the environment names.
require("./lambda_runtime/main.js").main();
