using System.Reflection;
using SafeLlama.Testing;

namespace SafeLlama.Evaluation.Tests;

/// <summary>Every writer of this room, found by its signature, with names that try to be more than names.</summary>
[TestFixture]
public sealed class WriterTests
{
    private static IEnumerable<MethodInfo> Writers => typeof(EvaluationSummary).Assembly.GetTypes()
        .SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.Public))
        .Where(m => m.ReturnType == typeof(string)
            && m.GetParameters() is [{ ParameterType: var only }]
            && (only == typeof(EvaluationSummary) || only == typeof(Comparison)));

    [Test]
    public void The_writers_are_found() => Assert.That(
        Writers.Select(m => $"{m.DeclaringType!.Name}.{m.Name}"),
        Is.SupersetOf(["SummaryMarkdown.Of", "SummaryCsv.Of", "ComparisonText.Markdown", "ComparisonText.Csv"]));

    [TestCaseSource(nameof(Writers))]
    public void No_name_is_more_than_a_name(MethodInfo writer)
    {
        object input = writer.GetParameters()[0].ParameterType == typeof(Comparison) ? Compared() : Summary();
        var text = (string)writer.Invoke(null, [input])!;
        if ($"{writer.DeclaringType!.Name}.{writer.Name}".Contains("Csv", StringComparison.Ordinal))
        {
            SafeOutput.MustBeCsv(text);
        }
        else
        {
            SafeOutput.MustBeMarkdown(text);
        }
    }

    [Test]
    public void The_annotators_sheet_runs_nothing()
    {
        var folder = TestFiles.NewFolder();
        var (sheet, key) = (Path.Combine(folder, "sheet.csv"), Path.Combine(folder, "key.jsonl"));
        HumanLabels.Export([.. SafeOutput.Names.Select((n, i) => Answers.To(n, n, $"{i}"))], sheet, key, 1);
        SafeOutput.MustBeCsv(File.ReadAllText(sheet));
    }

    private static EvaluationSummary Summary() => new(
        SafeOutput.Names[0], Inference.DecodingConfig.Greedy() with { Profile = SafeOutput.Names[1] }, 10, 10, 1,
        [
            .. SafeOutput.Names.Select(n => new MetricRow(n, n, n, n)
            {
                Value = Wilson.Rate(3, 10),
                Method = n,
                N = 10,
                Count = 3,
                Invalid = 1,
                Unscored = 1,
                Direction = n,
                Corrected = Wilson.Rate(2, 10),
                InvalidAsNo = 0.1,
                InvalidAsYes = 0.9,
            }),
        ],
        [.. SafeOutput.Names.Select(n => new EvaluationSummary.UnscoredReason(n, n, 1))],
        SafeOutput.Names)
    {
        Behaviors =
        [
            .. SafeOutput.Names.Select(n => new EvaluationSummary.BehaviorCounts(
                n, n, n, new Dictionary<string, int> { [n] = 1 })),
        ],
        JudgePairs =
        [
            .. SafeOutput.Names.Select(n => new JudgePair(n, JudgedQuestion.Refused, n, n, n, n)
            {
                N = 10,
                Both = 1,
                OnlyFirst = 2,
                OnlySecond = 3,
                PHolm = 1,
            }),
        ],
    };

    private static Comparison Compared() => new(
        SafeOutput.Names,
        [
            .. SafeOutput.Names.Select(n => new ComparisonRow(n, n, n, n, n)
            {
                BaselineValue = 0.1,
                CandidateValue = 0.2,
                Difference = Wilson.Rate(3, 10),
                N = 10,
                LeftOut = 0,
                OnlyBaseline = 1,
                OnlyCandidate = 2,
                Direction = n,
                IntervalMethod = n,
            }),
        ],
        SafeOutput.Names)
    {
        Conclusions =
        [
            .. SafeOutput.Names.Select(n => new JudgeConclusion(n, JudgedQuestion.Harmful, n, n, n, 10, 1, 2)),
        ],
    };
}
