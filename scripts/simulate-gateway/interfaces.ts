/*
 * Owns the interfaces of the IM REST API that are simulated: how often they are called beside each other, and
 * the latency of the service behind the gateway (log-normal, with a slower share for the tail).
 */
import { callbackInterface } from '@imscope/schemas/callback-interface.js';

/** Families of the REST API. */
export type RestFamily = 'message' | 'group' | 'account' | 'relationship' | 'profile' | 'recent' | 'push';
export type InterfaceFamily = RestFamily | 'callback';

export interface GatewayInterface {
  readonly name: string;
  readonly family: InterfaceFamily;
  /** How often it is called within its family, against the others. */
  readonly weight: number;
  readonly upstreamMedianUs: number;
  /** Standard deviation of the logarithm: 0.3 is steady, 0.8 is wild. */
  readonly spread: number;
  /** Share of requests whose latency is multiplied by `TAIL_FACTOR` (cold cache, fan-out, lock). */
  readonly tailShare: number;
}

/** Factor of the upstream latency of requests in the tail. */
export const TAIL_FACTOR = 9;

const ROWS: readonly (readonly [
  name: string,
  family: InterfaceFamily,
  weight: number,
  medianMs: number,
  spread: number,
  tailShare: number,
])[] = [
  ['openim/sendmsg', 'message', 52, 14, 0.42, 0.012],
  ['openim/batchsendmsg', 'message', 7, 48, 0.6, 0.03],
  ['openim/importmsg', 'message', 3, 19, 0.4, 0.01],
  ['openim/admin_getroammsg', 'message', 14, 31, 0.65, 0.03],
  ['openim/admin_msgwithdraw', 'message', 2, 17, 0.4, 0.01],
  ['openim/admin_set_msg_read', 'message', 9, 8, 0.35, 0.006],
  ['openim/get_c2c_unread_msg_num', 'message', 8, 6, 0.35, 0.005],
  ['openim/modify_c2c_msg', 'message', 1, 18, 0.4, 0.01],
  ['openim/query_online_status', 'message', 6, 5, 0.3, 0.004],
  ['im_open_login_svc/account_import', 'account', 34, 21, 0.45, 0.015],
  ['im_open_login_svc/multiaccount_import', 'account', 6, 67, 0.5, 0.03],
  ['im_open_login_svc/account_check', 'account', 38, 7, 0.3, 0.005],
  ['im_open_login_svc/account_delete', 'account', 2, 36, 0.5, 0.02],
  ['im_open_login_svc/kick', 'account', 5, 11, 0.4, 0.01],
  ['group_open_http_svc/send_group_msg', 'group', 46, 22, 0.5, 0.018],
  ['group_open_http_svc/create_group', 'group', 4, 39, 0.45, 0.02],
  ['group_open_http_svc/destroy_group', 'group', 1, 44, 0.5, 0.02],
  ['group_open_http_svc/get_group_info', 'group', 11, 9, 0.4, 0.008],
  ['group_open_http_svc/get_group_member_info', 'group', 9, 28, 0.8, 0.04],
  ['group_open_http_svc/add_group_member', 'group', 6, 26, 0.5, 0.02],
  ['group_open_http_svc/delete_group_member', 'group', 2, 24, 0.5, 0.02],
  ['group_open_http_svc/get_joined_group_list', 'group', 8, 23, 0.7, 0.03],
  ['group_open_http_svc/group_msg_get_simple', 'group', 9, 34, 0.6, 0.025],
  ['group_open_http_svc/group_msg_recall', 'group', 1, 16, 0.4, 0.01],
  ['group_open_http_svc/send_group_system_notification', 'group', 5, 20, 0.5, 0.015],
  ['group_open_http_svc/forbid_send_msg', 'group', 1, 13, 0.4, 0.01],
  ['group_open_http_svc/get_online_member_num', 'group', 6, 6, 0.35, 0.005],
  ['group_open_http_svc/modify_group_base_info', 'group', 2, 18, 0.4, 0.01],
  ['group_open_http_svc/get_role_in_group', 'group', 3, 10, 0.4, 0.01],
  ['sns/friend_add', 'relationship', 14, 29, 0.5, 0.02],
  ['sns/friend_get', 'relationship', 32, 18, 0.6, 0.02],
  ['sns/friend_check', 'relationship', 20, 9, 0.35, 0.006],
  ['sns/friend_delete', 'relationship', 4, 25, 0.45, 0.015],
  ['sns/friend_update', 'relationship', 4, 20, 0.4, 0.01],
  ['sns/black_list_add', 'relationship', 3, 19, 0.4, 0.01],
  ['sns/black_list_check', 'relationship', 9, 8, 0.35, 0.006],
  ['profile/portrait_get', 'profile', 70, 8, 0.45, 0.008],
  ['profile/portrait_set', 'profile', 30, 15, 0.4, 0.012],
  ['recentcontact/get_list', 'recent', 85, 16, 0.55, 0.02],
  ['recentcontact/delete', 'recent', 15, 12, 0.4, 0.01],
  ['all_member_push/im_push', 'push', 60, 72, 0.6, 0.04],
  ['all_member_push/im_get_attr', 'push', 40, 11, 0.4, 0.01],
  // Calls of the gateway to the application's own server.
  [callbackInterface('C2C.CallbackBeforeSendMsg'), 'callback', 55, 58, 0.7, 0.04],
  [callbackInterface('C2C.CallbackAfterSendMsg'), 'callback', 25, 52, 0.7, 0.04],
  [callbackInterface('State.StateChange'), 'callback', 20, 47, 0.6, 0.03],
];

export const INTERFACES: readonly GatewayInterface[] = ROWS.map(
  ([name, family, weight, medianMs, spread, tailShare]) => ({
    name,
    family,
    weight,
    upstreamMedianUs: medianMs * 1000,
    spread,
    tailShare,
  }),
);
