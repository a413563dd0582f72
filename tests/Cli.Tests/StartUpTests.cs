using SafeLlama.Cli.Training;
using SafeLlama.Kernels;
using SafeLlama.Training;

namespace SafeLlama.Cli.Tests;

/// <summary>What a run on a device is told before it starts, with a device that is only said to be one.</summary>
internal sealed class StartUpTests
{
    [Test]
    public void What_compiling_has_cost_is_told_once_when_the_first_step_is_done()
    {
        using var backend = new Device(memory: 0);
        var seen = new Notes();
        var view = new StartUpView(seen, backend);
        Assert.That(seen.Lines, Is.Empty);
        view.Stepped(null!, 2, 0.1);
        view.Stepped(null!, 2, 0.1);
        Assert.That(
            seen.Lines, Is.EqualTo(new[] { "a device: 31 kernels compiled in 4.0 s, as they were needed", "", "" }));
    }

    [Test]
    public void A_device_without_start_up_tells_nothing()
    {
        using var backend = new CpuBackend(1);
        var seen = new Notes();
        new StartUpView(seen, backend).Stepped(null!, 1, 0.1);
        Assert.That(seen.Lines, Is.EqualTo(new[] { "" }));
    }

    /// <summary>A plan is held against what can be used: the device's memory, unless another limit was named.</summary>
    [Test]
    public void What_can_be_used_is_the_devices_own_memory()
    {
        using var device = new Device(memory: 123 << 20);
        using var host = new CpuBackend(1);
        var request = new FineTuneRequest();
        Assert.That(request.MemoryBytes(device), Is.EqualTo(123 << 20));
        Assert.That(request.MemoryBytes(host), Is.EqualTo(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes));
        Assert.That((request with { Memory = 0.5 }).MemoryBytes(device), Is.EqualTo(512 << 20));
    }

    private sealed class Notes : ITrainingView
    {
        public List<string> Lines { get; } = [];

        public void Stepped(StepReport report, int totalSteps, double seconds) => Lines.Add("");

        public void Validated(ValidationReport report, bool isBest)
        {
        }

        public void Note(string line) => Lines.Add(line);
    }

    /// <summary>A backend that says of itself what a device says.</summary>
    private sealed class Device(long memory) : CpuBackend(1), IBackend
    {
        string IBackend.Name => "a device";

        string IBackend.StartUp => "31 kernels compiled in 4.0 s";

        long? IBackend.MemoryBytes => memory;
    }
}
