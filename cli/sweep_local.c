/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Points as processes of this machine: one that crashes takes no other with it. They are forks of this one, which
 * is loaded and linked already; most points take less time than that.
 */
#include "sweep.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct worker {
	pid_t pid;
	const struct sweep_point *point;
};

/* In the new process. argv as for exec. */
G_GNUC_NORETURN static void run_point(char **argv, pid_t parent)
{
	int status;

	/* A worker must not outlive a killed sweep: the resumed one would run beside it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(CLI_INTERNAL);
	cli_catch_signals();
	status = cli_run_command(cli_command_find(argv[1]), (int)g_strv_length(argv) - 2, argv + 2);
	fflush(NULL);
	_exit(status); /* nothing of the sweep's is this process's to close */
}

static bool start(struct sweep_job *j, struct worker *w, const struct sweep_point *p, GError **error)
{
	g_auto(GStrv) argv = sweep_point_command(j, p);
	pid_t parent = getpid();

	w->point = p;
	fflush(NULL); /* what is buffered would be written twice */
	w->pid = fork();
	if (w->pid == 0)
		run_point(argv, parent);
	if (w->pid > 0)
		return true;
	g_set_error(error, DMASIM_ERROR, DMASIM_ERROR_INTERNAL, "worker could not be started: %s",
		    g_strerror(errno));
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
