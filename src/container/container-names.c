/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of containers: see container-names.h. */
#include <stdio.h>
#include <sys/random.h>

#include "container/container-id.h"
#include "container/container-names.h"

static const char *const qualities[] = {
        "amber", "ample", "brave", "brisk", "calm", "clear", "crisp", "dusky", "eager", "early", "fair", "fleet",
        "fond", "fresh", "gentle", "glad", "grand", "green", "hardy", "humble", "ideal", "jolly", "keen", "kind",
        "late", "light", "lively", "loyal", "lucid", "mellow", "merry", "mild", "misty", "neat", "nimble", "noble",
        "patient", "plain", "proud", "quick", "quiet", "ready", "robust", "rosy", "sandy", "sharp", "silent", "sleek",
        "smooth", "snug", "solid", "spry", "steady", "still", "sunny", "swift", "tidy", "upbeat", "vivid", "warm",
        "wide", "wise", "witty", "young",
};
static const char *const things[] = {
        "anchor", "barge", "beacon", "bell", "bollard", "breeze", "bridge", "buoy", "canal", "cape", "capstan",
        "clipper", "coast", "compass", "coral", "cove", "crane", "current", "cutter", "deck", "delta", "dock",
        "dolphin", "ferry", "fjord", "gale", "gull", "harbor", "heron", "hull", "island", "jetty", "keel", "lagoon",
        "lantern", "lighter", "lock", "mast", "mole", "mooring", "oar", "otter", "pelican", "pier", "pilot", "plover",
        "port", "prow", "quay", "reef", "rudder", "sail", "seal", "shoal", "skiff", "sloop", "spar", "strand", "tern",
        "tide", "trawler", "tug", "wave", "wharf",
};

int container_name_generate(unsigned attempt, char **ret) {
        uint16_t dice[3];
        int n;

        if (getrandom(dice, sizeof(dice), 0) != (ssize_t) sizeof(dice))
                return negative_errno();
        const char *quality = qualities[dice[0] % N_ELEMENTS(qualities)], *thing = things[dice[1] % N_ELEMENTS(things)];
        if (attempt < 2)
                n = asprintf(ret, "%s-%s", quality, thing);
        else
                n = asprintf(ret, "%s-%s-%u", quality, thing, (unsigned) dice[2]);
        return n < 0 ? -ENOMEM : 0;
}

int container_unit_name(const char *name, const char *short_id, char **ret) {
        int n = short_id ? asprintf(ret, "berth-%s-%.*s.scope", name, CONTAINER_SHORT_ID_LENGTH, short_id)
                         : asprintf(ret, "berth-%s.scope", name);

        return n < 0 ? -ENOMEM : 0;
}
