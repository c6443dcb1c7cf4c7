import { NodePlacement, nodeSelectorOf, tolerationsOf } from '../../nodes/placement';
import { Values } from '../chart-definition';

/** The nodes of a component. Not by affinity, which would replace the chart's own, which keeps replicas apart. */
export function placed(placement: NodePlacement): Values {
  return { nodeSelector: nodeSelectorOf(placement), tolerations: tolerationsOf(placement) };
}
