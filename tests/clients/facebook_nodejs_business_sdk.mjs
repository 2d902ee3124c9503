// Drives the published Node.js SDK (facebook-nodejs-business-sdk) against a sandbox.
//
//     node facebook_nodejs_business_sdk.mjs BASE_URL FACTS_JSON_FILE
//
// The SDK is used as it is published, with its own (ended) API version; only the host is replaced.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(join(process.cwd(), 'package.json'));
const sdk = require('facebook-nodejs-business-sdk');
const { AdAccount, AdSet, Campaign, FacebookAdsApi, FacebookAdsApiBatch, User } = sdk;

const [base, file] = process.argv.slice(2);
const facts = JSON.parse(readFileSync(file, 'utf8'));

function check(name, condition, detail) {
  console.log(`${condition ? 'ok    ' : 'FAIL  '}${name}${condition || detail === undefined ? '' : `: ${JSON.stringify(detail)}`}`);
  if (!condition) process.exit(1);
}

async function refused(call) {
  try {
    await call();
  } catch (error) {
    return error;
  }
  check('the call is refused', false);
}

Object.defineProperty(FacebookAdsApi, 'GRAPH', { get: () => base });
const api = FacebookAdsApi.init(facts.access_token);
const account = new AdAccount(facts.ad_account_id);

const me = await new User('me').get(['id', 'name']);
check('me', me.id === facts.user_id, me.id);

const params = (name) => ({
  name,
  objective: 'OUTCOME_TRAFFIC',
  status: 'PAUSED',
  special_ad_categories: [],
  is_adset_budget_sharing_enabled: false,
});
const campaign = await account.createCampaign(['name'], params('Node'));
check('create with read-after-write', campaign.id && campaign.name === 'Node', campaign._data);
for (let i = 0; i < 30; i += 1) await account.createCampaign([], params(`Node ${i}`));

let page = await account.getCampaigns(['name'], { limit: 10 });
const seen = page.map((c) => c.id);
while (page.hasNext()) {
  page = await page.next();
  seen.push(...page.map((c) => c.id));
}
check('paging by next links', seen.length >= 31 && new Set(seen).size === seen.length, seen.length);

const adSet = await account.createAdSet([], {
  name: 'Node set',
  campaign_id: campaign.id,
  status: 'PAUSED',
  daily_budget: 2000,
  billing_event: 'IMPRESSIONS',
  optimization_goal: 'LINK_CLICKS',
  bid_strategy: 'LOWEST_COST_WITHOUT_CAP',
  targeting: { geo_locations: { countries: ['US'] }, targeting_automation: { advantage_audience: 1 } },
});
const read = await new AdSet(adSet.id).read(['daily_budget', 'targeting', 'campaign_id']);
check('ad set', read.daily_budget === '2000' && read.campaign_id === campaign.id, read._data);

await new Campaign(campaign.id, { name: 'Node, renamed' }).update();
check('update', (await new Campaign(campaign.id).read(['name'])).name === 'Node, renamed');

const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const image = await account.createAdImage([], { bytes: pixel });
check('image from bytes', image._data.images.bytes.hash.length === 32, image._data);

const answers = [];
const batch = new FacebookAdsApiBatch(api);
const note = (response) => answers.push(response.isSuccess);
batch.add('GET', [campaign.id], { fields: 'name' }, null, note, note);
batch.add('GET', ['5'], { fields: 'name' }, null, note, note);
batch.add('POST', [campaign.id], { name: 'Node, by batch', status: 'PAUSED' }, null, note, note);
await batch.execute();
check('batch', JSON.stringify(answers) === '[true,false,true]', answers);
check('batch wrote', (await new Campaign(campaign.id).read(['name'])).name === 'Node, by batch');

const error = await refused(() => new Campaign('5').read(['name']));
check('errors', error.response.code === 100 && error.response.error_subcode === 33, error.response);

await new Campaign(campaign.id).delete();
check('delete', (await new Campaign(campaign.id).read(['status'])).status === 'DELETED');
console.log('all checks passed');
