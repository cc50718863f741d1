#include "apps/platform/metrics_page.h"

#include <fmt/format.h>

#include "apps/platform/welcome.h"
#include "aws/digest.h"

namespace headrace::apps {
namespace {

// Writes the job's name, as the link's fragment has it, wherever the page says JOB. Only what may be a job's name is
// taken.
constexpr const char* kShowJob = R"script(
function showJob() {
  const job = /[:;]search=([a-zA-Z0-9-]{1,63})(;|$)/.exec(location.hash);
  for (const place of document.getElementsByClassName('job')) place.textContent = job ? job[1] : 'JOB';
}
addEventListener('hashchange', showJob);
showJob();
)script";

constexpr const char* kMetricsPage = R"page(<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Metrics of a training job - Headrace</title>
<style>body{{font:1em/1.5 sans-serif;max-width:40em;margin:3em auto;padding:0 1em}}pre{{background:#eee;padding:1em;overflow:auto}}</style>
<h1>Metrics of <span class="job">JOB</span></h1>
<p>They are shown to whoever has keys of the job's account. In a shell on this machine:</p>
<pre>eval "$({})"
headrace metrics <span class="job">JOB</span>
headrace jobs compare <span class="job">JOB</span> --picture curves.svg</pre>
<p>The first lists every value with its time; the second draws the curves in the terminal and into a picture, of several
jobs where several are named.</p>
<script>{}</script>
</html>
)page";

}  // namespace

http::Response MetricsPage(const http::Request& request, const std::string& command) {
  return HtmlPage(request, 200, fmt::format(fmt::runtime(kMetricsPage), HtmlEscaped(command), kShowJob),
                  fmt::format("default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{}'",
                              aws::Base64(aws::Sha256(kShowJob))));
}

}  // namespace headrace::apps
