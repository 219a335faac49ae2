#!/bin/bash
# Starts the worker of fleet @fleet@ on a new instance, and says goodbye for it at the end.
#
#   worker.sh          once, by cloud-init: settings, registry login, docker run; then installs the watch
#   worker.sh watch    for ever, by systemd: starts the worker when the instance is in service, stops it when it must go
#
# Settings are parameters of Systems Manager under /predictive-scaling/@fleet@/: IMAGE and LOG_GROUP are needed, and the
# container gets all of them in its environment (QUEUE_URL, ...). No secret stands in this file, which anybody on the
# instance can read. Needs docker, curl and the aws command.
set -uo pipefail

FLEET="@fleet@"
PARAMETERS="/predictive-scaling/${FLEET}"
NAME="worker"
ATTEMPTS="${ATTEMPTS:-4}"           # of each step that the network may spoil
FIRST_WAIT="${FIRST_WAIT:-5}"       # seconds; doubled after each failure
GRACE="${GRACE:-55}"                # seconds a worker has after SIGTERM; less than the lifecycle hook's timeout
POLL="${POLL:-5}"                   # seconds between two looks of the watch
HOOK="${HOOK:-predictive-scaling-farewell}"
FOLDER="${FOLDER:-/etc/predictive-scaling}"
UNITS="${UNITS:-/etc/systemd/system}"
METADATA="http://169.254.169.254/latest"

say() {
  echo "${FLEET}: $*" >&2
}

# Run a command again and again, with longer and longer waits; its input is a file, so that each attempt has it whole.
retry() {
  local what="$1" wait="${FIRST_WAIT}" attempt
  shift
  for ((attempt = 1; attempt <= ATTEMPTS; attempt++)); do
    if "$@"; then
      return 0
    fi
    if ((attempt < ATTEMPTS)); then
      say "${what} failed, attempt ${attempt} of ${ATTEMPTS}; again in ${wait} s"
      sleep "${wait}"
      wait=$((wait * 2))
    fi
  done
  say "gave up: ${what} failed ${ATTEMPTS} times"
  return 1
}

metadata() {
  local token
  token="$(curl -sf -m 3 -X PUT "${METADATA}/api/token" -H "X-aws-ec2-metadata-token-ttl-seconds: 60")" || return 1
  curl -sf -m 3 -H "X-aws-ec2-metadata-token: ${token}" "${METADATA}/meta-data/$1"
}

about_me() {
  REGION="$(metadata placement/region)" && INSTANCE="$(metadata instance-id)" || return 1
  export AWS_DEFAULT_REGION="${REGION}"
}

# Write the settings into a file that only root can read; docker takes it from there.
settings() {
  local found group
  group="$(my_group)" || return 1
  found="$(aws ssm get-parameters-by-path --path "${PARAMETERS}" --recursive --with-decryption \
    --query 'Parameters[].[Name,Value]' --output text)" || return 1
  mkdir -p "${FOLDER}" && (umask 077 && : >"${FOLDER}/worker.env") || return 1
  while IFS=$'\t' read -r name value; do
    [[ -n "${name}" ]] && echo "${name##*/}=${value}" >>"${FOLDER}/worker.env"
  done <<<"${found}"
  printf '%s\n' "AWS_DEFAULT_REGION=${REGION}" "INSTANCE_ID=${INSTANCE}" "AUTO_SCALING_GROUP=${group}" \
    >>"${FOLDER}/worker.env"
}

my_group() {
  aws autoscaling describe-auto-scaling-instances --instance-ids "${INSTANCE}" \
    --query 'AutoScalingInstances[0].AutoScalingGroupName' --output text
}

setting() {
  sed -n "s/^$1=//p" "${FOLDER}/worker.env" | tail -n 1
}

registry_login() {
  local registry="${IMAGE%%/*}"
  [[ "${registry}" == *.dkr.ecr.* ]] || return 0 # another registry is public, or docker knows it already
  aws ecr get-login-password | docker login --username AWS --password-stdin "${registry}"
}

# An instance in a warm pool must not take work: there the container is made, and the watch starts it later.
start_container() {
  local verb=(run --detach)
  [[ "$(metadata autoscaling/target-lifecycle-state)" == Warmed* ]] && verb=(create)
  docker rm --force "${NAME}" >/dev/null 2>&1
  docker "${verb[@]}" --name "${NAME}" --restart unless-stopped --stop-timeout "${GRACE}" \
    --env-file "${FOLDER}/worker.env" --log-driver awslogs --log-opt "awslogs-region=${REGION}" \
    --log-opt "awslogs-group=${LOG_GROUP}" --log-opt "awslogs-stream=${INSTANCE}/${NAME}" \
    --log-opt awslogs-create-group=true "${IMAGE}"
}

# Send a text to CloudWatch Logs as one event, the newest 60,000 bytes of it: Linux takes no argument over 128 KiB, and
# what JSON must escape is twice as long.
ship() {
  local stream="${INSTANCE}/$1" text
  text="$(tail -c 60000 | tr -d '\000-\010\013-\037' |
    sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/\t/\\t/g' | awk '{ printf "%s\\n", $0 }')"
  aws logs create-log-group --log-group-name "${LOG_GROUP}" >/dev/null 2>&1
  aws logs create-log-stream --log-group-name "${LOG_GROUP}" --log-stream-name "${stream}" >/dev/null 2>&1
  aws logs put-log-events --log-group-name "${LOG_GROUP}" --log-stream-name "${stream}" \
    --log-events "[{\"timestamp\":$(date +%s)000,\"message\":\"${text}\"}]" >/dev/null ||
    say "the log ${stream} could not be shipped"
}

install_watch() {
  cp "$0" "${FOLDER}/worker.sh" && chmod 700 "${FOLDER}/worker.sh" || return 1
  cat >"${UNITS}/worker-watch.service" <<UNIT
[Unit]
Description=Start and stop the worker as the instance's lifecycle says
After=docker.service
[Service]
ExecStart=/bin/bash ${FOLDER}/worker.sh watch
Restart=on-failure
[Install]
WantedBy=multi-user.target
UNIT
  systemctl daemon-reload && systemctl enable --now worker-watch.service
}

start() {
  retry "asking who I am" about_me && retry "reading ${PARAMETERS}" settings || return 1
  IMAGE="$(setting IMAGE)"
  LOG_GROUP="$(setting LOG_GROUP)"
  if [[ -z "${IMAGE}" || -z "${LOG_GROUP}" ]]; then
    say "gave up: ${PARAMETERS}/IMAGE and ${PARAMETERS}/LOG_GROUP are needed: put them into Parameter Store"
    return 1
  fi
  retry "registry login" registry_login && retry "docker run" start_container && install_watch
}

main() {
  mkdir -p "${FOLDER}"
  start > >(tee "${FOLDER}/start.log") 2>&1
  local outcome=$?
  sleep 1 # tee writes its last lines
  if [[ -n "${LOG_GROUP:-$(setting LOG_GROUP 2>/dev/null)}" && -n "${INSTANCE:-}" ]]; then
    { cat "${FOLDER}/start.log" && docker ps --all; } 2>&1 | ship start
  fi
  if ((outcome != 0)) && [[ ! -e "${FOLDER}/keep" ]]; then
    say "powering off: an instance without a worker is capacity on paper only, and the group replaces it"
    systemctl poweroff
  fi
  return "${outcome}"
}

running() {
  [[ "$(docker inspect --format '{{.State.Running}}' "${NAME}" 2>/dev/null)" == true ]]
}

# The worker finishes the message in hand; then the group need not wait for the hook's timeout.
goodbye() {
  say "the instance must go ($1): stopping the worker, which has ${GRACE} s"
  docker stop --time "${GRACE}" "${NAME}"
  { docker ps --all && docker logs --tail 200 "${NAME}"; } 2>&1 | ship end
  aws autoscaling complete-lifecycle-action --auto-scaling-group-name "$(my_group)" --lifecycle-hook-name "${HOOK}" \
    --instance-id "${INSTANCE}" --lifecycle-action-result CONTINUE || say "no hook was waiting, or it is gone"
}

watch() {
  retry "asking who I am" about_me || return 1
  LOG_GROUP="$(setting LOG_GROUP)"
  local state
  while true; do
    state="$(metadata autoscaling/target-lifecycle-state)"
    if metadata spot/instance-action >/dev/null; then
      goodbye "Spot takes it back"
      return 0
    fi
    case "${state}" in
      Terminated) goodbye "its group ends it" && return 0 ;;
      InService) running || docker start "${NAME}" ;;
      Warmed*) running && docker stop --time "${GRACE}" "${NAME}" ;;
    esac
    sleep "${POLL}"
  done
}

if [[ "${1:-}" == watch ]]; then
  watch
else
  main
fi
