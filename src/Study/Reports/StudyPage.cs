using System.Text;
using SafeLlama.Common;

namespace SafeLlama.Study;

/// <summary>A study's page for <c>docs/results</c>: the answer first, then everything that it rests on.</summary>
public static class StudyPage
{
    /// <summary>The page's Markdown, which shows the figure of <paramref name="figure"/>.</summary>
    /// <param name="report">The report on a finished study.</param>
    /// <param name="figure">The figure's file, as the page links it.</param>
    public static string Render(StudyReport report, string figure)
    {
        var (results, recipe) = (report.Results, report.Results.Recipe);
        var text = new StringBuilder();
        text.Append($"**{Cell(StudyAnswer.Of(results))}**\n\n# {Cell(recipe.Question)}\n\n");
        text.Append($"Run: {Cell(StudyAnswer.Scope(results))}.\n\n```\n");
        foreach (var command in Commands(recipe))
        {
            text.Append(command).Append('\n');
        }

        text.Append("```\n\n");
        Weights(text, results);
        foreach (var drawn in Figures(results).Take(1))
        {
            var key = string.Join(", ", drawn.Key.Select((name, i) => $"{Marks[i % Marks.Length]} {Cell(name)}"));
            text.Append($"![{Cell(drawn.Title)}]({figure})\n\n{Cell(drawn.Title)}: {key}.\n\n");
        }

        text.Append("## What was found\n\n");
        foreach (var sentence in StudyAnswer.Further(results))
        {
            text.Append(Cell(sentence)).Append("\n\n");
        }

        MarkdownTable.Append(text, "Quantity|Value [limits]|Confidence:", (results.Analyses ?? [])
            .SelectMany(a => a.Findings).Select(f => (string[])
                [Cell(f.Title), Cell(FindingText.Of(f)), f.Estimate.Draws.Count == 0 ? "–" : Percent.Of(
                    f.Estimate.Confidence)]));
        text.Append("\n## Claims, written before the run\n\n");
        MarkdownTable.Append(text, "Claim|Verdict|Asked for|Found|p|p, over all claims", results.Claims.Select(
            outcome => (string[])
            [
                Cell(outcome.Claim.Statement), $"**{ReportText.Verdict(outcome.Verdict)}**", Cell(outcome.Note),
                Cell(StudyAnswer.Found(outcome)), Cell(ReportText.P(outcome.P)),
                Cell(ReportText.P(outcome.AdjustedP ?? double.NaN)),
            ]));
        if (results.Claims.Any(outcome => double.IsNaN(outcome.P) && !StudyAnswer.IsOpen(outcome)))
        {
            text.Append("\nWhere p is a dash no test applies, and the limits alone decide: two metrics are compared, or "
                + "replicates agree so fully that limits are what so many of them could have missed.\n");
        }

        Words(text, "Limits", recipe.Page?.Limits);
        Words(text, "What would change the answer", recipe.Page?.WouldChange);
        text.Append("\n## Every arm\n\n");
        Arms(text, report);
        return text.ToString();
    }

    /// <summary>The bases by their weights: what another program, or other vectors, makes of a seed is another
    /// base.</summary>
    private static void Weights(StringBuilder text, StudyResults results)
    {
        string[] known =
        [
            .. results.Recipe.Models.Select(model => (model, Hashes: results.Manifest
                    .Where(fact => fact.Key.StartsWith($"model.{model}.", StringComparison.Ordinal)
                        && fact.Key.EndsWith(".safetensors", StringComparison.Ordinal))
                    .Select(fact => fact.Value[..Math.Min(12, fact.Value.Length)])))
                .Where(entry => entry.Hashes.Any())
                .Select(entry => $"{Path.GetFileName(entry.model.TrimEnd('/'))} {string.Join(" ", entry.Hashes)}"),
        ];
        if (known.Length > 0)
        {
            text.Append($"Weights of the bases (SHA-256): {Cell(string.Join(", ", known))}.\n\n");
        }
    }

    /// <summary>The figures of all analyses.</summary>
    public static IReadOnlyList<AnalysisFigure> Figures(StudyResults results) =>
    [
        .. (results.Analyses ?? []).SelectMany(result => Analyses.Of(result.Kind)
            .Figures(results.Recipe.Analyses!.First(a => a.Name == result.Name), result)),
    ];

    /// <summary>The marks of a key, in the order of <see cref="SvgChart.Marker"/>.</summary>
    internal static readonly string[] Marks = ["●", "■", "▲", "◆", "○", "□", "△"];

    private static IEnumerable<string> Commands(StudyRecipe recipe)
    {
        var files = recipe.Data.UsesFiles;
        var shown = string.Join(",", recipe.Models.Select(m => files ? m : Path.GetFileName(m.TrimEnd('/'))));
        foreach (var command in recipe.Page?.Bases is { Count: > 0 } told ? told.Select(SafeText.Shown) : Bases(recipe))
        {
            yield return command;
        }

        yield return ProgramCommand.Of(
            "study", ("Recipe", recipe.From ?? recipe.Name), ("Models", shown), ("Seeds", $"{recipe.Seeds.Count}"),
            ("Draw", files ? null : recipe.Data.Draw.ToString().ToLowerInvariant()),
            ("Arms", recipe.LeftOut is { Count: > 0 }
                ? string.Join(",", recipe.Arms.Where(a => !a.Added).Select(a => a.Name)) : null),
            ("Device", recipe.Device));
        if (StudyAnswer.Open(recipe) is not null && !files)
        {
            yield return "";
            yield return "# the run that decides";
            if (recipe.Page?.Bases.Count > 0)
            {
                yield return ProgramCommand.Of("study", ("Recipe", recipe.Name));
                yield break;
            }

            var name = ShippedBase(recipe);
            foreach (var seed in new[] { 2, 3 })
            {
                yield return Base(recipe, seed);
            }

            yield return ProgramCommand.Of(
                "study", ("Recipe", recipe.Name), ("Models", $"{name},{name}-2,{name}-3"), ("Seeds", "3"));
        }
    }

    /// <summary>What makes those bases of the run that are the shipped one of another seed, by their names.</summary>
    private static IEnumerable<string> Bases(StudyRecipe recipe) =>
        from seed in Enumerable.Range(2, 8)
        where recipe.Models.Any(m => Path.GetFileName(m.TrimEnd('/')) == $"{ShippedBase(recipe)}-{seed}")
        select Base(recipe, seed);

    private static string Base(StudyRecipe recipe, int seed) => ProgramCommand.Of(
        "study base", ("World", recipe.Data.World?.Wider is null ? null : "wide"), ("Seed", $"{seed}"),
        ("Out", $"{ShippedBase(recipe)}-{seed}"));

    private static string ShippedBase(StudyRecipe recipe) =>
        recipe.Data.World?.Wider is null ? "miniature" : "miniature-wide";

    private static void Words(StringBuilder text, string title, IReadOnlyList<string>? lines)
    {
        if (lines is { Count: > 0 })
        {
            text.Append($"\n## {title}\n\n");
            foreach (var line in lines)
            {
                text.Append($"- {Cell(line)}\n");
            }
        }
    }

    private static void Arms(StringBuilder text, StudyReport report)
    {
        var metrics = report.Results.Recipe.Metrics;
        MarkdownTable.Append(
            text, "Arm|Ns:|" + string.Join('|', metrics.Select(m => Cell(m.Title) + ":")),
            report.Results.Arms.Select(arm => (string[])
            [
                Cell(arm.Arm.Name), $"{arm.Safety}",
                .. metrics.Select(m => ReportText.Rate(arm.Metric(m.Name).Value)
                    + (arm.Metric(m.Name).Invalid is var invalid and > 0 ? $", {invalid} invalid" : "")),
            ]));
    }

    private static string Cell(string text) => SafeText.ForMarkdown(text);
}
