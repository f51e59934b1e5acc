/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Points as processes of this machine: one that crashes takes no other with it. */
#include "sweep.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

struct worker {
	GPid pid;
	const struct sweep_point *point;
};

/* A worker must not outlive a killed sweep: the resumed one would run beside it. */
static void die_with_parent(gpointer data)
{
	(void)data;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static bool start(struct sweep_job *j, struct worker *w, const struct sweep_point *p, GError **error)
{
	g_auto(GStrv) argv = sweep_point_command(j, p);
	GError *why = NULL;

	w->point = p;
	if (g_spawn_async(NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, die_with_parent, NULL, &w->pid, &why))
		return true;
	g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_INTERNAL, "worker could not be started: %s",
		    why->message);
	g_error_free(why);
	return false;
}

static struct worker *find(struct worker *workers, unsigned n, pid_t pid)
{
	for (unsigned i = 0; i < n; i++)
		if (workers[i].point && workers[i].pid == pid)
			return &workers[i];
	return NULL;
}

static void kill_all(struct worker *workers, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (workers[i].point)
			kill(workers[i].pid, SIGTERM);
}

static bool has_result(const struct sweep_job *j, const struct sweep_point *p)
{
	g_autofree char *dir = sweep_point_dir(j, p), *file = g_build_filename(dir, "result.json", NULL);

	return g_file_test(file, G_FILE_TEST_EXISTS);
}

/* stopping: we sent it a signal, so that its end says nothing of its point. */
static bool finished(struct sweep_job *j, struct worker *w, int wait_status, bool stopping, GError **error)
{
	const struct sweep_point *p = w->point;

	w->point = NULL;
	if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == CLI_OK)
		return sweep_collect(j, p, error);
	if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == CLI_FAILED && has_result(j, p)) {
		j->status = CLI_FAILED; /* no request succeeded: a result like others */
		return sweep_collect(j, p, error);
	}
	if (!stopping)
		sweep_point_failed(j, p, WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : CLI_INTERNAL);
	return true;
}

bool sweep_run_local(struct sweep_job *j, GError **error)
{
	unsigned n = MIN(j->o->jobs ? (unsigned)j->o->jobs : g_get_num_processors(), j->missing->len);
	g_autofree struct worker *workers = g_new0(struct worker, n);
	unsigned running = 0, next = 0;
	bool ok = true, killed = false;

	while (running || (ok && !cli_interrupted && next < j->missing->len)) {
		struct worker *w;
		int status;
		pid_t pid;

		for (unsigned i = 0; ok && !cli_interrupted && i < n && next < j->missing->len; i++)
			if (!workers[i].point) {
				ok = start(j, &workers[i], j->missing->pdata[next++], error);
				if (ok)
					running++;
				else
					workers[i].point = NULL;
			}
		if ((cli_interrupted || !ok) && !killed) {
			kill_all(workers, n);
			killed = true;
		}
		pid = running ? waitpid(-1, &status, 0) : -1;
		if (pid < 0 && errno == ECHILD && running) {
			g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_INTERNAL,
				    "workers could not be waited for: %s", g_strerror(errno));
			return false;
		}
		w = pid > 0 ? find(workers, n, pid) : NULL;
		if (!w)
			continue;
		running--;
		ok = finished(j, w, status, killed || cli_interrupted, ok ? error : NULL) && ok;
		sweep_progress(j);
	}
	return ok;
}
