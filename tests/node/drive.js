// SPDX-License-Identifier: MIT
// Calls every method of the SDK's users group once with success, and what is
// refused with every error class. Input on standard input: {url, prefix, key,
// user (one with a session, a passkey and a connection), ids}; output: what
// came back, a JSON object.
import * as sdk from "@wacht/backend";
import { readFileSync } from "node:fs";

const input = JSON.parse(readFileSync(0));
const called = new Set();

function client(key) {
    const config = { apiKey: key, baseUrl: input.url };
    if (input.prefix)
        config.fetch = (url, init) => {
            const u = new URL(url);
            u.pathname = input.prefix + u.pathname;
            return fetch(u, init);
        };
    return new sdk.WachtClient(config);
}

const users = new Proxy(client(input.key).users, {
    get(target, name) {
        called.add(name);
        return target[name];
    },
});

async function refused(promise) {
    try {
        await promise;
    } catch (e) {
        return [e.constructor.name, e.statusCode, e.message, e.details];
    }
    return "not refused";
}

const png = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUl" +
    "EQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64");
const tag = input.tag;
const out = {};

const ada = await users.createUser({
    first_name: "Ada \u6f22 \"q\"", last_name: "Love\r\nlace".slice(0, 4),
    email_address: `ada-${tag}@example.com`, username: `ada-${tag}`,
    password: "Passw0rd!", profile_image: new Blob([png],
        { type: "image/png" }),
});
out.created = ada;
out.list = await users.listUsers({ search: `ADA-${tag}`, limit: 5,
    sort_key: "email", sort_order: "asc" });
out.everybody = (await users.listUsers({})).total;
out.updated = await users.updateUser(ada.id, {
    first_name: "Augusta", disabled: false,
    public_metadata: { "\u{1F600}": [1.5, null, {}] },
    private_metadata: { big: Number.MAX_SAFE_INTEGER },
    second_factor_policy: "none", remove_profile_image: true,
});
out.empty = await users.updateUser(ada.id, {});
out.details = await users.getUser(ada.id);
out.password = [
    await users.updatePassword(ada.id, { new_password: "Other1!xyz" }),
    await users.removePassword(ada.id)];

const email = await users.addEmail(ada.id,
    { email: `two-${tag}@example.com`, verified: false });
out.email = [email, await users.updateEmail(ada.id, email.id,
    { verified: true })];
out.emailPrimary = await users.makeEmailPrimary(ada.id, email.id);
out.emailDeleted = await users.deleteEmail(ada.id, email.id);
const phone = await users.addPhone(ada.id,
    { country_code: "+1", phone_number: input.phone });
out.phone = [phone, await users.updatePhone(ada.id, phone.id,
    { verified: true })];
out.phonePrimary = await users.makePhonePrimary(ada.id, phone.id);
out.phoneDeleted = await users.deletePhone(ada.id, phone.id);

const { user, session, passkey, connection } = input.ids;
out.connections = await users.listSocialConnections(user);
out.connectionDeleted = await users.deleteSocialConnection(user, connection);
out.organizations = await users.listOrganizationMemberships(user);
out.workspaces = await users.listWorkspaceMemberships(user);
out.signins = await users.listSignins(user, {});
out.revoked = await users.revokeSignin(user, session);
out.revokedAll = await users.revokeAllSignins(user);
out.passkeys = await users.listPasskeys(user);
out.renamed = await users.renamePasskey(user, passkey, "a name");
out.passkeyDeleted = await users.deletePasskey(user, passkey);
const totp = { secret: "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" };
out.authenticator = await users.createAuthenticator(user, totp);
out.twice = await refused(users.createAuthenticator(user, totp));
out.authenticatorDeleted = await users.deleteAuthenticator(user);
out.codes = await users.regenerateBackupCodes(user);

out.invalid = await refused(users.createUser({ first_name: "",
    last_name: "x", email_address: "x", password: "x" }));
out.conflict = await refused(users.createUser({ first_name: "a",
    last_name: "b", email_address: `ADA-${tag}@example.com`,
    password: "Passw0rd!" }));
out.unauthenticated = await refused(client("none").users.getUser(ada.id));
out.forbidden = await refused(client(input.member).users.getUser(ada.id));
out.deleted = await users.deleteUser(ada.id);
out.missing = await refused(users.getUser(ada.id));
out.tooLarge = await refused(users.updateUser(user, { profile_image:
    new Blob([Buffer.alloc(8 << 20)], { type: "image/png" }) }));
out.uncalled = Object.keys(client("x").users).filter(
    (name) => !called.has(name));
console.log(JSON.stringify(out));
