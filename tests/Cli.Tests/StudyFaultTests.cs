using System.Diagnostics;
using SafeLlama.Testing;

namespace SafeLlama.Cli.Tests;

/// <summary>A study from files on a tiny checkpoint, killed and resumed: the same results, byte for byte.</summary>
[Category("Fault")]
[NonParallelizable]
public sealed class StudyFaultTests : IDisposable
{
    private const int Killed = 137;

    private TinyModel _model = null!;
    private TimeSpan _wholeTime;

    [OneTimeSetUp]
    public void RunWhole()
    {
        _model = new TinyModel();
        Assert.That(_model.Train().ExitCode, Is.Zero);
        File.WriteAllLines(Path.Combine(_model.Folder, "harm.jsonl"), Enumerable.Range(0, 6)
            .Select(i => $$"""{"id": "{{i}}", "prompt": "Do the wrong thing {{i}}.", "label": "unsafe"}"""));
        File.WriteAllText(Recipe, $$"""
            name: tiny
            question: Does a killed study go on where it was?
            models: ['{{_model.Model}}']
            seeds: [1, 2]
            data: { instructions: '{{_model.Rows}}', instruction_count: 16, safety: '{{_model.Safety}}',
              suites: { harm: '{{Path.Combine(_model.Folder, "harm.jsonl")}}' } }
            training: { epochs: 2, batch_size: 8, warmup_steps: 1, max_length: 128 }
            decoding: { max_new_tokens: 3 }
            metrics: [{ name: harm, title: Harm, measure: complies, suites: [harm], lower_is_better: true }]
            arms: [{ name: none, safety_examples: 0 }, { name: some, safety_examples: 6 }]
            claims: [{ id: c, statement: It falls., metric: harm, test: lower, arm: some, baseline: none }]
            """);
        var clock = Stopwatch.GetTimestamp();
        var run = CommandRun.Of(Arguments("whole"));
        _wholeTime = Stopwatch.GetElapsedTime(clock);
        Assert.That(run.ExitCode, Is.Zero, run.Error);
    }

    public void Dispose() => _model.Dispose();

    /// <summary>
    /// A replicate takes four to six steps, each with a checkpoint of four files, and writes its plan, the adapter's
    /// two files, training and answers.
    /// </summary>
    [TestCase("write:1")]
    [TestCase("flush:4")]
    [TestCase("rename:8")]
    [TestCase("write:33")]
    [TestCase("rename:60")]
    [TestCase("step:3")]
    [TestCase("step:4")]
    [TestCase("step:9")]
    public void Killed_study_goes_on_where_it_was(string site)
    {
        var output = "killed-" + site.Replace(':', '-');
        var killed = CommandRun.Of(site, Arguments(output));
        Assert.That(killed.ExitCode, Is.EqualTo(Killed), killed.Error);
        Assert.That(Path.Combine(_model.Out(output), "results.json"), Does.Not.Exist, "it was killed on the way");

        var resumed = CommandRun.Of(Arguments(output, "--resume"));
        Assert.That(resumed.ExitCode, Is.Zero, resumed.Error);
        Assert.That(Results(output), Is.EqualTo(Results("whole")));
    }

    [Test]
    public void Killed_in_mid_training_by_the_system_it_goes_on_too()
    {
        var killed = CommandRun.InterruptedAt("some", process => process.Kill(), Arguments("shot"));
        Assert.That(killed.ExitCode, Is.Not.Zero);
        Assert.That(CommandRun.Of(Arguments("shot", "--resume")).ExitCode, Is.Zero);
        Assert.That(Results("shot"), Is.EqualTo(Results("whole")));
    }

    [Test]
    public void Killed_at_random_it_goes_on_each_time() => KilledAtRandom(3);

    [Test]
    [Slow("ten kills of a study that takes seconds")]
    public void Killed_at_random_ten_times_it_goes_on_each_time() => KilledAtRandom(10);

    /// <summary>
    /// Studies killed so often in all; every one is resumed until it ends, with the results of the unbroken one.
    /// </summary>
    private void KilledAtRandom(int kills)
    {
        var random = TestContext.CurrentContext.Random;
        for (var study = 0; kills > 0; study++)
        {
            Assert.That(study, Is.LessThan(50), "the kills never meet the study at work");
            var output = $"random-{kills}-{study}";
            CommandRun run;
            while ((run = CommandRun.KilledAfter(
                kills > 0 ? random.NextDouble() * 0.9 * _wholeTime : TimeSpan.FromMinutes(1),
                Directory.Exists(_model.Out(output)) ? Arguments(output, "--resume") : Arguments(output)))
                .ExitCode == Killed)
            {
                kills--;
            }

            Assert.That(run.ExitCode, Is.Zero, run.Error);
            Assert.That(Results(output), Is.EqualTo(Results("whole")));
        }
    }

    [Test]
    public void Two_processes_write_the_same_results()
    {
        Assert.That(CommandRun.Of(Arguments("again", "--parallel", "3")).ExitCode, Is.Zero);
        Assert.That(Results("again"), Is.EqualTo(Results("whole")));
    }

    private string Recipe => Path.Combine(_model.Folder, "tiny.yaml");

    private string[] Arguments(string output, params string[] more) =>
        ["study", "--recipe", Recipe, .. OneByOne(more), "--out", _model.Out(output), .. more];

    /// <summary>One replicate at a time, so that a site is the same in every run.</summary>
    private static string[] OneByOne(string[] more) => more.Contains("--parallel") ? [] : ["--parallel", "1"];

    private string Results(string output) => File.ReadAllText(Path.Combine(_model.Out(output), "results.json"));
}
