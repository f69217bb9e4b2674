// The words that are coloured as keywords, beside those that the server lists.
export const keywords = new Set(`add after alias all alter analyze and anti any array as asc asof async attach backup between by case cast check
clear cluster column columns comment constraint create cross cube current database databases date day deduplicate default delete desc describe detach
dictionary distinct drop else end engine estimate except exists explain extract false fill filter final first following for format freeze from full
function global grant group grouping having hour if ilike in index indexes inf inner insert intersect interval into is isnull join kill last left like
limit live local materialize materialized memory minute modify month move mutation nan not null nulls offset on optimize or order outer over partition
pipeline plan policy populate preceding prewhere primary projection qualify quarter query range recursive rename replace revoke right role rollup row rows
sample second select semi set sets settings show storage substring sync syntax system table tables temporary test then ties to top totals tree true
truncate ttl unbounded union update use user using values view watch week when where window with year`.split(/\s+/));
