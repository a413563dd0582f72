using SafeLlama.Kernels;
using SafeLlama.Study;

namespace SafeLlama.Lab.Tests;

/// <summary>A lab, the class's plan in its world, and students of it.</summary>
public abstract class ClassLab
{
    private protected LabFixture Lab { get; private set; } = null!;

    private protected ClassPlan Plan { get; private set; } = null!;

    private protected ClassStudents Students { get; private set; } = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        Lab = await LabFixture.Start();
        Plan = new(Lab.Server.Workshop.World, new LlamaEngine(() => new CpuBackend(1), MiniatureModel.FolderOf));
        Students = new(Plan);
    }

    [OneTimeTearDown]
    public async Task Stop() => await Lab.DisposeAsync();
}
