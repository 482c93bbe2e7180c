// SPDX-License-Identifier: MIT
// Reads a case a line, {secret, raw, headers, body}, secret and body in base64,
// and says of each what every package makes of it: "ok", or why not. raw: the
// secret's bytes are the key.
"use strict";
const readline = require("readline");
const packages = {
	standardwebhooks: require("standardwebhooks").Webhook,
	svix: require("svix").Webhook,
};

function judge(Webhook, test) {
	const secret = Buffer.from(test.secret, "base64");
	const text = secret.toString();

	try {
		const webhook = test.raw ?
		    new Webhook(Uint8Array.from(secret), { format: "raw" }) :
		    new Webhook(text);
		webhook.verify(Buffer.from(test.body, "base64"), test.headers);
		return "ok";
	} catch (error) {
		return String(error.message || error);
	}
}

readline.createInterface({ input: process.stdin }).on("line", (line) => {
	const test = JSON.parse(line);
	const answer = {};

	for (const name of Object.keys(packages))
		answer[name] = judge(packages[name], test);
	console.log(JSON.stringify(answer));
});
