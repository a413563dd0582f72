using System.Reflection;
using ILGPU;
using ILGPU.Runtime.Cuda;
using SafeLlama.Common;

namespace SafeLlama.Kernels.Tests;

internal sealed class GpuBackendTests
{
    [Test]
    public void A_missing_device_is_one_line_with_the_way_out()
    {
        if (File.Exists("/dev/nvidia0"))
        {
            Assert.Ignore("this machine has an NVIDIA device");
        }

        Assert.That(
            () => GpuBackend.OpenCuda(DType.BFloat16),
            Throws.InstanceOf<SafeLlamaException>().With.Message.Match(
                @"^No CUDA device found: .+\. Use Device cpu, or check the driver with nvidia-smi\.$"));
    }

    [TestCase("CUDA_ERROR_OUT_OF_MEMORY", ExitCode.DoesNotFit, "Use Recompute block")]
    [TestCase("all CUDA-capable devices are busy or unavailable", ExitCode.Usage, "CUDA_VISIBLE_DEVICES")]
    [TestCase("CUDA_ERROR_ILLEGAL_ADDRESS\nan illegal memory access", ExitCode.Failure, "with Resume")]
    public void What_a_driver_says_becomes_one_line_with_the_way_out(string said, ExitCode code, string wayOut)
    {
        var error = GpuFault.Of("NVIDIA H200", new CudaException(said));
        Assert.That(error.Code, Is.EqualTo(code));
        Assert.That(error.Message, Does.StartWith("NVIDIA H200").And.Contain(wayOut).And.Not.Contain("\n"));
    }

    /// <summary>What a driver says comes out of whatever call comes next: queueing, allocating, or neither.</summary>
    [Test]
    public void A_device_that_fails_is_one_line_wherever_it_is_noticed()
    {
        using var backend = GpuBackend.OpenInterpreted(DType.Float32, new LostDevice());
        using var t = new TestTensors(backend);
        var (x, y) = (t.Input("x", new(2, 8)), t.Output("y", new(2, 8)));
        Assert.That(
            () => backend.SwiGlu.Forward(x, x, y),
            Throws.InstanceOf<SafeLlamaException>().With.Message.Match(
                @"^[^\n]*CUDA_ERROR_ILLEGAL_ADDRESS[^\n]*Go on from the last checkpoint with Resume\.$"));
        Assert.That(
            () => backend.AllocateStorage(LostDevice.Largest + 1, "activations"),
            Throws.InstanceOf<SafeLlamaException>().With.Property("Code").EqualTo(ExitCode.DoesNotFit)
                .And.Message.Match(@"^activations: 1 MB could not be allocated on [^\n]+Use Recompute block[^\n]+\.$"));
        Assert.That(
            GpuBackend.FaultOf(new CudaException("CUDA_ERROR_ECC_UNCORRECTABLE"))!.Message, Does.Contain("nvidia-smi"));
        Assert.That(GpuBackend.FaultOf(new InvalidOperationException()), Is.Null);
    }

    [Test]
    public void Kernels_are_compiled_once_and_what_that_cost_is_told()
    {
        using var backend = GpuBackend.OpenEmulated(DType.Float32);
        using var t = new TestTensors(backend);
        var (x, y) = (t.Input("x", new(2, 8)), t.Output("y", new(2, 8)));
        Assert.That(backend.StartUp, Is.Null, "nothing was compiled yet");
        backend.SwiGlu.Forward(x, x, y);
        Assert.That(backend.StartUp, Does.Match(@"^1 kernels compiled in \d+\.\d s$"));
        var told = backend.StartUp;
        backend.SwiGlu.Forward(x, x, y);
        Assert.That(backend.StartUp, Is.EqualTo(told), "a kernel was compiled twice");
    }

    [Test]
    public void The_blocks_of_an_inbox_take_turns_and_hold_what_was_written()
    {
        using var backend = GpuBackend.OpenEmulated(DType.Float32);
        using var inbox = ((IBackend)backend).AllocateDoubleBuffer(256, "test");
        var (one, other) = (inbox.Swap(), inbox.Swap());
        Assert.That(other, Is.Not.SameAs(one));
        Assert.That(inbox.Swap(), Is.SameAs(one));
        one.Write(8, [1, 2, 3]);
        Assert.That(inbox.Swap(), Is.SameAs(other));
        other.Write(8, [4, 5, 6]);
        var read = new byte[3];
        one.Read(8, read);
        Assert.That(read, Is.EqualTo(new byte[] { 1, 2, 3 }));
        other.Read(8, read);
        Assert.That(read, Is.EqualTo(new byte[] { 4, 5, 6 }));
    }

    [Test]
    public void Totals_are_read_back_as_they_were_when_asked_for()
    {
        using var backend = GpuBackend.OpenEmulated(DType.Float32);
        using var arena = new Arena(backend, "test");
        var totals = arena.Take(new(3), DType.Float64, "totals");
        arena.Commit();
        totals.Write([1.0, 2.0, 3.0]);
        using var readback = ((IBackend)backend).ReadLater(totals);
        readback.Begin();
        totals.Clear();
        Assert.That(readback.IsReady);
        Assert.That(readback.Wait().ToArray(), Is.EqualTo(new[] { 1.0, 2.0, 3.0 }));
    }

    [Test]
    public void Activations_are_of_two_types() =>
        Assert.That(() => GpuBackend.OpenEmulated(DType.Float16), Throws.InstanceOf<SafeLlamaException>());

    [TestCase(DType.Float64)]
    [TestCase(DType.Float32)]
    [TestCase(DType.BFloat16)]
    [TestCase(DType.Float16)]
    [TestCase(DType.Int32)]
    public void What_is_written_to_the_device_is_read_back(DType type)
    {
        using var backend = GpuBackend.OpenEmulated(DType.Float32);
        using var arena = new Arena(backend, "test");
        var (before, tensor) = (arena.Take(new(7), type, "before"), arena.Take(new(3, 5), type, "x"));
        arena.Commit();
        Assert.That(tensor.ReadDoubles(), Is.All.Zero);
        var values = Enumerable.Range(0, 15).Select(i => (double)i).ToArray();
        tensor.Write(values);
        Assert.That(tensor.ReadDoubles(), Is.EqualTo(values));
        Assert.That(tensor.Slice(1, 1).ReadDoubles(), Is.EqualTo(values[5..10]));
        Assert.That(before.ReadDoubles(), Is.All.Zero);
        tensor.Slice(1, 1).Clear();
        Assert.That(tensor.ReadDoubles(), Is.EqualTo(values.Select((x, i) => i / 5 == 1 ? 0 : x)));
    }

    [Test]
    public void Uploads_past_the_staging_memory_arrive()
    {
        using var backend = GpuBackend.OpenEmulated(DType.Float32);
        using var memory = backend.AllocateStorage(20 << 20, "test");
        var bytes = new byte[3 << 20];
        for (var part = 0; part < 4; part++)
        {
            Array.Fill(bytes, (byte)(part + 1));
            memory.Write((long)part * bytes.Length, bytes);
        }

        var large = new byte[5 << 20];
        Array.Fill(large, (byte)9);
        memory.Write(12 << 20, large);
        var read = new byte[17 << 20];
        memory.Read(0, read);
        Assert.That(read.Index().All(b => b.Item == (b.Index < 12 << 20 ? (b.Index / (3 << 20)) + 1 : 9)));
    }

    [Test]
    public void An_import_is_a_copy_on_the_device()
    {
        using var memory = new HostMemory(64, "test");
        memory.Write(8, [0x80, 0x3F, 0x00, 0x40]);
        using var backend = GpuBackend.OpenEmulated(DType.Float32);
        var weight = backend.Import(memory, 8, new(1, 2), WeightFormat.BF16, "weight");
        memory.Write(8, [0, 0]);
        Assert.That(weight.ReadDoubles(), Is.EqualTo(new[] { 1.0, 2.0 }));
    }

    [Test]
    public void A_tensor_of_the_host_is_refused_by_name()
    {
        using var backend = GpuBackend.OpenEmulated(DType.Float32);
        using var memory = new HostMemory(64, "test");
        var host = Tensor.Over(memory, 0, new(2, 2), DType.Float32, "host");
        Assert.That(
            () => backend.SwiGlu.Forward(host, host, host),
            Throws.ArgumentException.With.Message.EqualTo("Tensor 'host' is not in device memory."));
    }

    [Test]
    public void A_type_the_device_does_not_compute_with_is_refused_by_name()
    {
        using var backend = GpuBackend.OpenEmulated(DType.Float32);
        using var t = new TestTensors(backend);
        var (x, weight) = (t.Input("x", new(2, 3)), t.Input("weight", new(4, 3)));
        Assert.That(
            () => backend.Linear.Forward(x, weight, t.Output("y", new(2, 4), DType.Float64)),
            Throws.ArgumentException.With.Message.Contains("Float64 is not computed with on a device"));
    }

    [Test]
    public void Narrowing_on_the_device_rounds_to_nearest_even()
    {
        float[] values = [1 + (1 / 256f), 1 + (3 / 256f), float.PositiveInfinity, float.MaxValue, -0.1f, 1e-40f];
        foreach (var value in values)
        {
            Assert.That(
                GpuBFloat16.Widen(GpuBFloat16.Narrow(value)),
                Is.EqualTo(DTypes.WidenBFloat16(DTypes.NarrowBFloat16(value))));
        }

        Assert.That(GpuBFloat16.Widen(GpuBFloat16.Narrow(float.NaN)), Is.NaN);
    }

    [Test]
    public void Halves_widen_exactly()
    {
        for (var bits = 0; bits <= ushort.MaxValue; bits++)
        {
            var expected = (float)BitConverter.UInt16BitsToHalf((ushort)bits);
            Assert.That(GpuFloat16.Widen(new((ushort)bits)), float.IsNaN(expected) ? Is.NaN : Is.EqualTo(expected));
        }
    }

    [TestCase(DType.Float32)]
    [TestCase(DType.BFloat16)]
    public void The_doctor_finds_every_op_well(DType activation)
    {
        using var backend = GpuBackend.OpenEmulated(activation);
        foreach (var check in OpChecks.Run(backend))
        {
            Assert.That(check.Passed, $"{check.Name}: {check.Seen}, tolerated {check.Tolerance}");
        }
    }

    [Test]
    public void The_doctor_is_not_content_with_numbers_that_are_none() =>
        Assert.That(new HealthCheck("x", HealthCheck.Error([double.NaN], [1]), 1e-3, "").Passed, Is.False);

    /// <summary>A device whose every kernel fails, and that has no room for more than a megabyte.</summary>
    private sealed class LostDevice : IGpuInterpreter
    {
        public const long Largest = 1_000_000;

        public void Allocated(nint address, long byteCount)
        {
            if (byteCount is > Largest and < 2 * Largest)
            {
                throw new CudaException("CUDA_ERROR_OUT_OF_MEMORY");
            }
        }

        public void Run(MethodInfo kernel, Index2D groups, int groupSize, int sharedBytes, object[] arguments) =>
            throw new CudaException("CUDA_ERROR_ILLEGAL_ADDRESS");
    }
}
