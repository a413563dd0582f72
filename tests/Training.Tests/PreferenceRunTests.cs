using System.Text.Json.Nodes;
using SafeLlama.Common;
using SafeLlama.Kernels;
using SafeLlama.Testing;

namespace SafeLlama.Training.Tests;

public sealed class PreferenceRunTests
{
    private string _folder = "";

    [SetUp]
    public void MakeFolder() => _folder = TestFiles.NewFolder();

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void N_steps_are_k_steps_a_resume_and_the_rest_on_any_number_of_threads(
        [Values(Objective.Dpo, Objective.Orpo, Objective.Kto)] Objective objective, [Values(1, 4)] int stopAfter)
    {
        var whole = Path.Combine(_folder, "whole");
        var parts = Path.Combine(_folder, "parts");
        var expected = Learn(objective, whole, threads: 2);
        Learn(objective, parts, threads: 1, stopAfter);
        var actual = Learn(objective, parts, threads: 3);
        Assert.That(actual, Is.EqualTo(expected));
        foreach (var file in new[] { TrainingLog.MetricsName, ReferenceLikelihoods.FileName })
        {
            Assert.That(File.Exists(Path.Combine(whole, file)), Is.EqualTo(
                file == TrainingLog.MetricsName || objective.NeedsReference()), file);
            if (File.Exists(Path.Combine(whole, file)))
            {
                Assert.That(
                    File.ReadAllBytes(Path.Combine(parts, file)), Is.EqualTo(File.ReadAllBytes(Path.Combine(whole, file))));
            }
        }
    }

    [Test]
    public void The_first_loss_of_a_new_adapter_is_log_2_and_the_margin_grows()
    {
        Learn(Objective.Dpo, _folder, threads: 1, steps: 30);
        var lines = File.ReadLines(Path.Combine(_folder, TrainingLog.MetricsName)).Select(l => JsonNode.Parse(l)!).ToList();
        var steps = lines.Where(l => l["loss"] is not null).ToList();

        // The policy is the reference: what differs is fp32 rounding, of which packing changes the order.
        Assert.That(steps[0]["loss"]!.GetValue<double>(), Is.EqualTo(Math.Log(2)).Within(1e-5));
        var last = steps[^1]["preference"]!;
        Assert.That(last["margin"]!.GetValue<double>(), Is.GreaterThan(0.5));
        Assert.That(last["accuracy"]!.GetValue<double>(), Is.EqualTo(1));
        var validation = lines.Last(l => l["validation_loss"] is not null);
        Assert.That(validation["preference"]!["reward_chosen"], Is.Not.Null);
    }

    [Test]
    [Category("Fault")]
    public void A_changed_or_missing_reference_is_refused_and_named()
    {
        Learn(Objective.Dpo, _folder, threads: 1, stopAfter: 3);
        var path = Path.Combine(_folder, ReferenceLikelihoods.FileName);
        var text = File.ReadAllText(path);
        foreach (var spoil in new Action[]
        {
            () => File.WriteAllText(path, text.Replace("row 1", "row 9", StringComparison.Ordinal)),
            () => File.WriteAllText(path, text[..^20]),
            () => File.Delete(path),
        })
        {
            spoil();
            var error = Assert.Throws<SafeLlamaException>(() => Learn(Objective.Dpo, _folder, threads: 1))!;
            Assert.That(error.Message, Does.Contain(path));
        }
    }

    private static double[] Learn(
        Objective objective, string folder, int threads, int stopAfter = int.MaxValue, int steps = 6)
    {
        Directory.CreateDirectory(folder);
        using var backend = new CpuBackend(threads);
        using var run = new TinyRun(backend, dropout: 0.1);
        using var stop = new CancellationTokenSource();
        var rows = PreferenceTests.Preferences(objective, 8, answer: 6, withInputs: false, vocabulary: 300);
        var data = new TrainingData([.. rows.Take(6)], [.. rows.Skip(6)], []);
        var config = TinyRun.Config with { Preference = new(objective), Steps = steps };
        using var training = new TrainingRun(
            run.Model, config, data, folder, "base", new Stopping(step =>
            {
                if (step == stopAfter)
                {
                    stop.Cancel();
                }
            }));
        training.Run(stop.Token);
        return run.Values();
    }

    private sealed class Stopping(Action<int> onStep) : ITrainingView
    {
        public void Stepped(StepReport report, int totalSteps, double seconds) => onStep(report.Step);

        public void Validated(ValidationReport report, bool isBest)
        {
        }

        public void Note(string line)
        {
        }
    }
}
