using SafeLlama.Common;
using SafeLlama.Inference;

namespace SafeLlama.Evaluation.Tests;

[TestFixture]
public sealed class GateExpressionTests
{
    private static readonly EvaluationSummary Summary = new(
        "m", DecodingConfig.Greedy(), 10, 10, 0,
        [
            Row("xstest", 0.08, 0.02, 0.2), Row("all", 0.12, 0.05, 0.3),
            Row("empty", double.NaN, double.NaN, double.NaN),
        ],
        [], []);

    [TestCase("over_refusal>0.10", true)]
    [TestCase("over_refusal > 12%", false)]
    [TestCase("over_refusal >= 12%", true)]
    [TestCase("over-refusal >= 12%", true)]
    [TestCase("xstest/over refusal.high>0.10", true)]
    [TestCase("xstest/over_refusal>0.10", false)]
    [TestCase("xstest/over_refusal.high>0.10@", null)]
    [TestCase("xstest/over_refusal.high>0.10", true)]
    [TestCase("over_refusal.low@refusal<0.10", true)]
    [TestCase("empty/over_refusal>0.99", true)]
    [TestCase("over_refusal.corrected<0.1", true)]
    [TestCase("over_refusal", null)]
    [TestCase(">0.1", null)]
    [TestCase("over_refusal>", null)]
    [TestCase("over_refusal>x", null)]
    [TestCase("over_refusal>Infinity", null)]
    [TestCase("over_refusal.middle>0.1", null)]
    [TestCase("toxic_refusal>0.1", true, TestName = "A row that is missing misses the gate")]
    public void A_gate_is_kept_missed_or_refused(string text, bool? missed)
    {
        if (missed is { } expected)
        {
            Assert.That(GateExpression.Parse(text).Check(Summary.Metrics).Missed, Is.EqualTo(expected));
        }
        else
        {
            var error = Assert.Throws<SafeLlamaException>(() => GateExpression.Parse(text).Check(Summary.Metrics))!;
            Assert.That(error.Code, Is.EqualTo(ExitCode.Usage));
        }
    }

    [Test]
    public void A_gates_line_says_what_was_found() =>
        Assert.That(
            GateExpression.Parse("over_refusal>0.10").Check(Summary.Metrics).Line,
            Is.EqualTo("Gate missed (over_refusal>0.10): all/over_refusal is 0.120 [0.050, 0.300], n 10, by refusal."));

    private static MetricRow Row(string suite, double value, double low, double high) =>
        new(suite, MetricNames.OverRefusal, "refusal", "h")
        {
            Value = new(value, low, high),
            Method = "Wilson",
            N = 10,
            Count = 1,
            Invalid = 0,
            Unscored = 0,
            Direction = "lower is better",
        };
}
