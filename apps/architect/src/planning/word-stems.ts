// Words as the matching of goals with capabilities compares them: "Summarises", "summary" and "summarization" are one.

/** Words that say nothing of what is to be done. */
const STOP_WORDS = new Set(
  `a about above across actually after again all also am an and any anything are as at away be because been before being below
  between both but by can cannot capability capable carefully could did different do does doing done down during each either else
  etc every everything exactly few finally first firstly for from further get gets getting give gives given go goes good got had
  has have having he hello help her here hi him his how however i if in include includes including into is it its itself just keep
  kind lastly least less let like likes ll long lot make makes making many may me might more most much must my need needs new next
  no nor not nothing now of off ok okay on once one only onto or other others our out over own per please possible provide
  provides put quickly quite rather re really s same second secondly see several shall she should since so some something soon
  still such sure take takes than thank thanks that the their them then there these they thing things third this those through to
  together too under until up upon us use used using various ve very via want wants was way we well were what when where which
  while who whom whose why will wish with within without would yes yet you your yours`.split(/\s+/),
);

/** Words of ids that every agent may have in its own, and that tell none from another. */
const GENERIC_WORDS = new Set(['agent', 'api', 'bot', 'service', 'skill', 'tool', 'worker']);

/**
 * Endings that are taken off, the longest that leaves enough of a word; `as` stands in for them. In turn: plurals, forms of verbs,
 * what makes a word of another kind out of it, last letters that come and go.
 */
const ENDINGS: readonly (readonly { readonly ending: RegExp; readonly as: string }[])[] = [
  [{ ending: /is(?=(?:e[drs]?|ers|ing|ations?)$)/, as: 'iz' }],
  [
    { ending: /(?<=...)ies$/, as: 'y' },
    { ending: /(?<=(?:[sx]|ch|sh|zz))es$/, as: '' },
    { ending: /(?<=..[^su])s$/, as: '' },
  ],
  [{ ending: /(?<=[aeiouy].*.)(?:ing|ed)$/, as: '' }],
  [
    { ending: /(?<=...)(?:ication|ization|isation)$/, as: '' },
    { ending: /(?<=an?al)(?:ysi|yz|yze|yzer|yse|yst|ytic|ysis|ytics)$/, as: 'ys' },
    { ending: /(?<=...)(?:ation|ator|izer|ment|ate|ize|ify)$/, as: '' },
    { ending: /(?<=...)(?:at|iz|if)$/, as: '' },
    { ending: /(?<=....)(?:ion|er|or)$/, as: '' },
    { ending: /(?<=..[^aeiou])er$/, as: '' },
  ],
  [
    { ending: /(?<=...)[eyi]$/, as: '' },
    { ending: /(?<=..[^aeiouls])(?:(?<=bb|dd|ff|gg|mm|nn|pp|rr|tt))(?<=.)(?:)$/, as: '' },
  ],
];
