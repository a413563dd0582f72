using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace SafeLlama.Kernels.Tests;

/// <summary>The interpreter, and where there is one a GPU, do what the PTX ISA's tables say.</summary>
internal sealed class PtxVectorTests
{
    private static IEnumerable<PtxVector> All =>
        [.. PtxVectors.All, .. PtxScalarVectors.All, .. PtxMemoryVectors.All];

    private static IEnumerable<TestCaseData<PtxVector>> Vectors =>
        All.Select(vector => new TestCaseData<PtxVector>(vector).SetArgDisplayNames(vector.Name));

    [Test]
    public void Every_form_that_the_interpreter_takes_has_a_vector() => Assert.That(
        PtxForms.Known.Except(All.SelectMany(vector => vector.Opcodes)), Is.Empty,
        "forms of PtxForms without a vector: write one from the PTX ISA's tables");

    [Test]
    public void A_form_that_has_no_vector_is_not_executed() => Assert.That(
        () => Run(
            new PtxVector("brev", "brev.b32 y0, x0;", _ => [1], _ => [1]).Kernel(), new PtxGlobal(), 0, 0),
        Throws.InstanceOf<NotSupportedException>().With.Message.Contains("brev.b32"));

    [Test]
    public void Every_vector_assembles()
    {
        if (Ptxas.Path is null)
        {
            Assert.Ignore("ptxas is not installed: set SAFELLAMA_PTXAS to its path");
        }

        var entries = All.Select((vector, i) => vector.Entry($"vector{i}"));
        Ptxas.Assemble(PtxVector.Header + string.Join("\n", entries), "sm_80");
    }

    /// <summary>
    /// Three copies in groups of their own, of which a lane has waited for some: what it has not waited for is poison.
    /// </summary>
    [TestCase("cp.async.wait_group 3;", 0, false)]
    [TestCase("cp.async.wait_group 2;", 0, true)]
    [TestCase("cp.async.wait_group 2;", 1, false)]
    [TestCase("cp.async.wait_group 1;", 1, true)]
    [TestCase("cp.async.wait_group 1;", 2, false)]
    [TestCase("cp.async.wait_group 0;", 2, true)]

    // An empty group is a group too; what was not committed is not waited for.
    [TestCase("cp.async.commit_group; cp.async.wait_group 1;", 2, true)]
    [TestCase("cp.async.commit_group; cp.async.wait_group 2;", 2, false)]
    [TestCase("cp.async.wait_group 0; cp.async.ca.shared.global [r1], [d0], 4, 4; cp.async.wait_group 0;", 0, false)]
    public void What_a_copy_brings_is_poison_until_its_group_was_waited_for(string waits, int place, bool isThere)
    {
        var text = PtxMemoryVectors.ThreeGroups + waits + $"ld.shared.b32 y0, [r1+{512 * place}];";
        var vector = new PtxVector("groups", text, l => [(uint)l, (uint)l + 100, (uint)l + 200, 0], _ => [0]);
        var global = new PtxGlobal();
        var (given, found) = (global.Add<uint>(vector.AllInputs), global.Add<uint>(new uint[PtxVector.Lanes]));
        void Read() => Run(vector.Kernel(), global, given, found);
        if (isThere)
        {
            Read();
            Assert.That(global.Values<uint>(found)[5], Is.EqualTo(5 + (100 * place)));
        }
        else
        {
            Assert.That(Read, Throws.InstanceOf<PtxFault>().With.Message.Contains("a copy on its way"));
        }
    }

    /// <summary>Waiting is for one's own copies; those of others want a barrier too.</summary>
    [TestCase("", false)]
    [TestCase("bar.sync 0;", true)]
    public void What_another_lane_copied_is_there_behind_a_barrier(string barrier, bool isThere)
    {
        var text = PtxMemoryVectors.ThreeGroups + $"cp.async.wait_group 0; {barrier} "
            + "xor.b32 r3, r0, 1; shl.b32 r3, r3, 2; mov.u32 r4, rows; add.s32 r4, r4, r3; ld.shared.b32 y0, [r4];";
        var vector = new PtxVector("neighbor", text, l => [(uint)l, 0, 0, 0], l => [(uint)l ^ 1]);
        var global = new PtxGlobal();
        var (given, found) = (global.Add<uint>(vector.AllInputs), global.Add<uint>(new uint[PtxVector.Lanes]));
        void Read() => Run(vector.Kernel(), global, given, found);
        if (isThere)
        {
            Read();
            vector.Check(global.Values<uint>(found));
        }
        else
        {
            Assert.That(Read, Throws.InstanceOf<PtxFault>().With.Message.Match("no barrier between|on its way"));
        }
    }

    [TestCaseSource(nameof(Vectors))]
    public void The_interpreter_agrees_with_the_tables(PtxVector vector)
    {
        var global = new PtxGlobal();
        var outputs = vector.Outputs(0).Length * PtxVector.Lanes;
        var (given, found) = (global.Add<uint>(vector.AllInputs), global.Add<uint>(new uint[outputs]));
        Run(vector.Kernel(), global, given, found);
        vector.Check(global.Values<uint>(found));
    }

    /// <summary>The same texts through the driver: where hardware differs, the interpreter is wrong.</summary>
    [Test]
    [Category("Cuda")]
    public void A_GPU_agrees_with_the_tables()
    {
        if (!GpuDevice.HasDriver)
        {
            const string Missing = "no NVIDIA driver is installed";
            Assert.That(Environment.GetEnvironmentVariable("SAFELLAMA_CUDA"), Is.Not.EqualTo("1"), Missing);
            Assert.Ignore(Missing);
        }

        using var device = GpuDevice.OpenCuda();
        Assert.Multiple(() =>
        {
            foreach (var vector in All)
            {
                RunOn(device, vector);
            }
        });
    }

    private static unsafe void RunOn(GpuDevice device, PtxVector vector)
    {
        var outputs = vector.Outputs(0).Length * PtxVector.Lanes;
        using var given = device.Accelerator.Allocate1D(vector.AllInputs);
        using var found = device.Accelerator.Allocate1D<uint>(outputs);
        using var scope = device.Accelerator.BindScoped();
        var api = CudaAPI.CurrentAPI;
        Assert.That(api.LoadModule(out var module, vector.Kernel()), Is.EqualTo(CudaError.CUDA_SUCCESS), vector.Name);
        Assert.That(api.GetModuleFunction(out var function, module, "vector"), Is.EqualTo(CudaError.CUDA_SUCCESS));
        var (from, to) = (given.NativePtr, found.NativePtr);
        var (half, seven) = (0.5f, 7);
        var arguments = stackalloc nint[] { (nint)(&from), (nint)(&to), (nint)(&half), (nint)(&seven) };
        var stream = ((CudaStream)device.Stream).StreamPtr;
        device.Accelerator.Synchronize();
        Assert.That(
            api.LaunchKernel(function, 1, 1, 1, PtxVector.Lanes, 1, 1, 0, stream, (nint)arguments, 0),
            Is.EqualTo(CudaError.CUDA_SUCCESS));
        device.Accelerator.Synchronize();
        vector.Check(found.GetAsArray1D());
        Assert.That(api.DestroyModule(module), Is.EqualTo(CudaError.CUDA_SUCCESS));
    }

    private static void Run(string kernel, PtxGlobal global, long given, long found) => PtxMachine.Run(
        kernel, global, (1, 1), PtxVector.Lanes, 0, seed: 1,
        PtxArguments.Number(given), PtxArguments.Number(found), PtxArguments.Number(0.5f), PtxArguments.Number(7));
}
