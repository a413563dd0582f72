using System.Text.Json;
using SafeLlama.Common;

namespace SafeLlama.Study;

/// <summary>Writes a finished study's report: <c>report.html</c>, <c>report.md</c> and, where there
/// are such, <c>page.md</c> with its <c>figure.svg</c> and <c>lesson.json</c>.</summary>
public static class ReportFiles
{
    /// <returns>The HTML file's path.</returns>
    public static string Write(StudyReport report, string folder)
    {
        var html = Path.Combine(folder, "report.html");
        OutputFile.WriteText(html, ReportHtml.Render(report));
        OutputFile.WriteText(Path.Combine(folder, "report.md"), ReportMarkdown.Render(report));
        if (StudyPage.Figures(report.Results) is [var first, ..])
        {
            OutputFile.WriteText(Path.Combine(folder, "figure.svg"), SvgChart.Alone(first.Svg));
            OutputFile.WriteText(Path.Combine(folder, "page.md"), StudyPage.Render(report, "figure.svg"));
        }

        if (report.Lesson is { } lesson)
        {
            OutputFile.WriteText(
                Path.Combine(folder, "lesson.json"), JsonSerializer.Serialize(lesson, StudyJson.Document) + "\n");
        }

        return html;
    }
}
