import { nodeAffinityOf, NodePlacement, tolerationsOf } from '../../nodes/placement';
import { Values } from '../chart-definition';

/** The nodes of a component. By affinity, as in the values of the chart that users know. */
export function placed(placement: NodePlacement): Values {
  return { affinity: nodeAffinityOf(placement), tolerations: tolerationsOf(placement) };
}
