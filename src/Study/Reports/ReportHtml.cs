using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>
/// The report as one HTML file. It loads nothing from elsewhere, is complete without scripts, and escapes all text.
/// </summary>
public static class ReportHtml
{
    public static string Render(StudyReport report)
    {
        var assembly = typeof(ReportHtml).Assembly;
        return PageHtml.Render<ReportPage>(
            report.Results.Recipe.Question,
            new() { [nameof(ReportPage.Report)] = report },
            PageHtml.Resource(assembly, "report.css"),
            PageHtml.Resource(assembly, "report.js")
                + (report.Live is null ? "" : PageHtml.Resource(assembly, "live.js")),
            report.Live?.ToJson() ?? "");
    }
}
