using System.Diagnostics;
using System.Globalization;
using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Cli.Tests;

/// <summary>Runs over a quantized base that are stopped and resumed: the same adapter, byte for byte.</summary>
/// <remarks>The base is quantized anew when a run goes on, so its codes must be the same ones.</remarks>
[Category("Fault")]
[NonParallelizable]
public sealed class QuantizedFaultTests : IDisposable
{
    private const int Killed = 137;

    private readonly HashSet<string> _whole = [];
    private TinyModel _model = null!;

    [OneTimeSetUp]
    public void Train()
    {
        _model = new TinyModel();
        Assert.That(_model.Train().ExitCode, Is.Zero);
    }

    public void Dispose() => _model.Dispose();

    [TestCase("TERM", "nf4")]
    [TestCase("INT", "nf4 nested")]
    [TestCase("TERM", "int8")]
    [TestCase("INT", "int8-weights")]
    public void A_signal_leaves_a_checkpoint_and_the_run_goes_on_to_the_same_bytes(string signal, string form)
    {
        Signals.RequireDelivered(signal);
        var (name, load) = ($"{signal}-{form}".Replace(' ', '-'), Load(form));
        var run = CommandRun.InterruptedAt(
            "step 2/8 ", process => Interrupt(process, signal), _model.FineTune(name, load));
        Assert.That(run.ExitCode, Is.EqualTo((int)ExitCode.Interrupted), run.Error);
        Assert.That(Directory.GetDirectories(Path.Combine(_model.Out(name), "checkpoints")), Is.Not.Empty);
        MustGoOn(name, form);
    }

    [TestCase("nf4", 3)]
    [TestCase("nf4 nested", 6)]
    [TestCase("int8", 6)]
    public void A_killed_run_goes_on_from_its_last_checkpoint_to_the_same_bytes(string form, int step)
    {
        var name = $"killed-{step}-{form}".Replace(' ', '-');
        var run = CommandRun.InterruptedAt(
            string.Create(CultureInfo.InvariantCulture, $"step {step}/8 "), process => process.Kill(),
            _model.FineTune(name, Load(form)));
        Assert.That(run.ExitCode, Is.EqualTo(Killed), "the kill landed within the run");
        MustGoOn(name, form);
    }

    /// <summary>A checkpoint of codes in the place of one that is quantized as it is read.</summary>
    [Test]
    public void A_killed_run_over_a_quantized_checkpoint_goes_on_to_the_same_bytes()
    {
        var folder = _model.Out("stored-nf4");
        Assert.That(CommandRun.Of("quantize", "--model", _model.Model, "--to", "nf4", "--out", folder).ExitCode, Is.Zero);
        string[] Run(string name) =>
            [.. _model.FineTune(name, "--model", folder).SkipRepeated("--model")];
        Assert.That(CommandRun.Of(Run("stored-whole")).ExitCode, Is.Zero);
        Assert.That(CommandRun.Of("step:5", Run("stored-parts")).ExitCode, Is.EqualTo(Killed));
        Assert.That(CommandRun.Of("train", "--resume", "--out", _model.Out("stored-parts")).ExitCode, Is.Zero);
        Assert.That(_model.AdapterOf("stored-parts"), Is.EqualTo(_model.AdapterOf("stored-whole")));
        Whole("nf4");
        Assert.That(
            _model.AdapterOf("stored-whole"), Is.EqualTo(_model.AdapterOf("whole-nf4")),
            "what is stored is what quantizing gives");
    }

    private static string[] Load(string form) => form.EndsWith(" nested", StringComparison.Ordinal)
        ? ["--load", form.Split(' ')[0], "--nested", "true"] : ["--load", form];

    private static void Interrupt(Process process, string signal)
    {
        using var kill = Process.Start("kill", ["-" + signal, process.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    /// <summary>The run that nothing broke, made once for each form.</summary>
    private string Whole(string form)
    {
        var name = "whole-" + form.Replace(' ', '-');
        if (_whole.Add(form))
        {
            var run = CommandRun.Of(_model.FineTune(name, Load(form)));
            Assert.That(run.ExitCode, Is.Zero, run.Error);
        }

        return name;
    }

    private void MustGoOn(string name, string form)
    {
        Assert.That(Directory.Exists(Path.Combine(_model.Out(name), "adapter")), Is.False, "it had ended already");
        var resumed = CommandRun.Of("train", "--resume", "--out", _model.Out(name));
        Assert.That(resumed.ExitCode, Is.Zero, resumed.Error);
        var whole = Whole(form);
        Assert.That(_model.AdapterOf(name), Is.EqualTo(_model.AdapterOf(whole)), "the adapter");
        Assert.That(_model.MetricsOf(name), Is.EqualTo(_model.MetricsOf(whole)), "the metrics");
    }
}
