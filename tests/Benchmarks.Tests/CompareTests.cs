using SafeLlama.Common;
using SafeLlama.Kernels;

namespace SafeLlama.Benchmarks.Tests;

/// <summary>Times that must not enter a table.</summary>
internal sealed class CompareTests
{
    private static readonly StepProgram Peer = new("peer");

    private static readonly Roofline Limit = new(200, [("memory", 10)]);

    [Test]
    public void A_time_of_the_same_work_is_taken() =>
        Assert.DoesNotThrow(() => CompareCommand.Plausible(Line(), Peer, Line(), Limit));

    [TestCase("\"seq\":256", "\"seq\":128")]
    [TestCase("\"batch\":8", "\"batch\":1")]
    [TestCase("\"threads\":1", "\"threads\":2")]
    [TestCase("\"targets\":\"qv\"", "\"targets\":\"all\"")]
    public void Other_work_is_refused(string field, string changed) => Refuses(field, changed, "did other work");

    [Test]
    public void A_time_that_no_core_reaches_is_refused() =>
        Refuses("\"cpu_s_per_step\":0.3", "\"cpu_s_per_step\":0.01", "5000 GFLOP a second");

    [Test]
    public void Threads_that_work_longer_than_the_clock_runs_are_refused() =>
        Refuses("\"s_per_step_median\":0.3", "\"s_per_step_median\":0.03", "longer than the clock runs");

    [Test]
    public void A_loss_that_is_not_finite_is_refused() =>
        Refuses("\"loss_last\":8.1", "\"loss_last\":1e999", "expected a finite number");

    [Test]
    public void Bf16_may_be_twice_as_fast()
    {
        var (fast, narrow) = (Line(), Line(("\"fp32\"", "\"bf16\"")));
        var limit = new Roofline(100, [("memory", 10)]);
        Assert.Throws<SafeLlamaException>(() => CompareCommand.Plausible(fast, Peer, Line(), limit));
        Assert.DoesNotThrow(() => CompareCommand.Plausible(narrow, Peer, Line(), limit));
    }

    [TestCase("loss_last")]
    [TestCase("peer")]
    [TestCase("cpu_s_per_step")]
    [TestCase("seq")]
    public void A_missing_field_is_named(string field)
    {
        var line = Text().Replace($"\"{field}\"", "\"other\"", StringComparison.Ordinal);
        var fault = Assert.Throws<SafeLlamaException>(() => StepResult.Of(line, "peer"))!;
        Assert.That(fault.Message, Does.Contain($"\"{field}\"").And.Contain("is missing"));
    }

    [Test]
    public void A_field_of_another_type_is_named_with_what_was_found()
    {
        var line = Text().Replace("\"seq\":256", "\"seq\":\"many\"", StringComparison.Ordinal);
        var fault = Assert.Throws<SafeLlamaException>(() => StepResult.Of(line, "peer"))!;
        Assert.That(fault.Message, Does.Contain("\"seq\"").And.Contain("is \"many\""));
    }

    [TestCase("cpu_s_per_step", "s_per_step_median")]
    [TestCase("s_per_step_median", "cpu_s_per_step")]
    public void A_time_that_never_changes_was_not_measured(string field, string other)
    {
        StepResult Round(int round, bool moves) => Line(
            ($"\"{other}\":0.3", $"\"{other}\":0.3{round}"),
            ($"\"{field}\":0.3", moves ? $"\"{field}\":0.31{round}" : $"\"{field}\":0.3"));
        var fault = Assert.Throws<SafeLlamaException>(
            () => CompareCommand.Measured([.. Enumerable.Range(1, 3).Select(r => Round(r, moves: false))], Peer))!;
        Assert.That(fault.Message, Does.Contain($"{field} is 0.3 in each of 3 rounds"));
        Assert.DoesNotThrow(
            () => CompareCommand.Measured([.. Enumerable.Range(1, 3).Select(r => Round(r, moves: true))], Peer));
    }

    private static void Refuses(string field, string changed, string reason)
    {
        var fault = Assert.Throws<SafeLlamaException>(
            () => CompareCommand.Plausible(Line((field, changed)), Peer, Line(), Limit))!;
        Assert.That(fault.Message, Does.Contain(reason));
    }

    private static StepResult Line(params (string Field, string Changed)[] changes) =>
        StepResult.Of(
            changes.Aggregate(
                Text(), (text, change) => text.Replace(change.Field, change.Changed, StringComparison.Ordinal)),
            "peer");

    private static string Text() => """
        {"peer":"p","config":"tiny","mode":"lora","targets":"qv","dtype":"fp32","threads":1,"batch":8,"seq":256,
        "s_per_step_median":0.3,"cpu_s_per_step":0.3,"peak_rss_mb":100,"loss_last":8.1,"flops_per_step":50000000000}
        """.ReplaceLineEndings("");
}
