import { type AnsweredReport, type Evidence, type Finding, type Problem, undecidable, value } from './finding.ts';

interface Labels {
  /** Service labels of the group, as configured. */
  readonly labels: readonly string[];
  readonly answered: readonly AnsweredReport[];
  /** Nodes where clRGinfo has the group online. */
  readonly online: readonly string[];
  readonly holding: AnsweredReport | undefined;
}

/**
 * Holds the cluster's word against the addresses: the group's service labels are configured on its holder and nowhere
 * else. A label whose address nobody tells, or addresses that cannot be read, prove nothing and are a warning.
 */
export function judgeLabels({ labels, answered, online, holding }: Labels): {
  findings: Finding[];
  warnings: Problem[];
  evidence: Evidence[];
} {
  const addresses = new Map(labels.map((label) => [label, addressOf(label, answered)]));
  const here = (report: AnsweredReport, label: string) =>
    value(report.addresses)?.some(({ address }) => address === addresses.get(label));
  const missing = holding ? labels.filter((label) => addresses.get(label) && here(holding, label) === false) : [];
  const unchecked = holding
    ? labels.filter((label) => !addresses.get(label) || here(holding, label) === undefined)
    : [];
  const strays = answered
    .filter((report) => report !== holding && !online.includes(report.node))
    .flatMap((report) => labels.filter((label) => here(report, label)).map((label) => ({ node: report.node, label })));
  return {
    findings: [
      ...missing.flatMap((label) =>
        undecidable('SERVICE_LABEL_NOT_HERE', holding?.node ?? null, `${label} is not configured on the holder`, {
          seen: `${label} is ${addresses.get(label)}, which ifconfig -a does not list`,
          remedy: `Find out why the cluster did not bring ${label} up, or who has it.`,
        }),
      ),
      ...strays.map(({ node, label }): Finding => {
        return {
          refusal: holding ? 'contested' : 'undecidable',
          problem: {
            code: 'SERVICE_LABEL_ELSEWHERE',
            node,
            message: `${label} is configured on ${node}, which does not have the group`,
            seen: `${label} is ${addresses.get(label)}`,
            remedy: `Settle by hand which node serves ${label}: its address contradicts the cluster.`,
          },
        };
      }),
    ],
    warnings: unchecked.map((label) => {
      const seen = addresses.get(label) ? 'ifconfig -a gave no usable answer' : 'no address is known for the label';
      const remedy = 'Report what cllsnode and ifconfig -a print, with the level of HACMP.';
      const message = `nobody could check that ${label} is on the holder`;
      return { code: 'SERVICE_LABEL_UNCHECKED', node: holding?.node ?? null, message, seen, remedy };
    }),
    evidence: holding
      ? labels
          .filter((label) => here(holding, label))
          .map((label) => ({ node: holding.node, source: 'ifconfig -a', says: `${label} is configured here` }))
      : [],
  };
}

/** The address that the nodes have configured for a label, when those that tell one agree. */
function addressOf(label: string, answered: readonly AnsweredReport[]): string | undefined {
  const told = answered.flatMap((report) =>
    (value(report.labels) ?? []).flatMap(({ interfaces }) =>
      interfaces.filter(({ name }) => name === label).map(({ address }) => address),
    ),
  );
  return new Set(told).size === 1 ? told[0] : undefined;
}
