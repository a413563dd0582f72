using SafeLlama.Common;
using SafeLlama.Kernels.Tests.Bf16;

namespace SafeLlama.Kernels.Tests;

/// <summary>What a memory plan counts for scratch is no less than what ops take, and not idly more.</summary>
internal sealed class ScratchTests
{
    [TestCase(500, 1000, 8, 0.0)]
    [TestCase(500, 4096, 20, 0.3)]
    [TestCase(5000, 1024, 64, 0.3)]
    public void A_lora_pair_on_the_cpu_takes_no_more_than_is_granted(int rows, int columns, int rank, double dropout) =>
        TakesNoMoreThanIsGranted(
            new(rows, 1, columns, 1, 1, 16, rank, dropout > 0),
            t =>
            {
                var (weight, u) = (t.Input("w", new(columns, columns)), t.Output("forward_u", new(rows, rank)));
                var (a, b) = (t.Input("a", new(rank, columns)), t.Input("b", new(columns, rank)));
                t.Backend.Linear.Forward(
                    t.Input("x", new(rows, columns)), weight, new LoraTerm(a, b, 2, Dropout.None, u), default,
                    t.Output("forward_y", new(rows, columns)));
                LoraTests.Backward(t, rows, columns, columns, rank, dropout);
            });

    [TestCase(3000, 1)]     // cut into parts
    [TestCase(3000, 2)]
    [TestCase(3000, 10)]    // none is
    public void Attention_on_the_cpu_takes_no_more_than_is_granted(int rows, int examples) => TakesNoMoreThanIsGranted(
        new(rows, rows / examples, 256, 4, 2, 64, 0, false),
        t =>
        {
            t.Backend.Linear.Forward(
                t.Input("x", new(40, 256)), t.Input("w", new(256, 256)), t.Output("product", new(40, 256)));
            AttentionTests.Backward(t, rows, 4, 2, 64, examples);
        });

    [TestCase(600, 64)]
    [TestCase(600, 24)]     // fills no vectors: attention runs on widened copies
    public void In_bf16_the_cpu_takes_no_more_than_is_granted(int rows, int headDim)
    {
        var columns = 4 * headDim;
        TakesNoMoreThanIsGranted(
            new(rows, rows / 2, columns, 4, 2, headDim, 0, false),
            t =>
            {
                var (x, y) = (t.Input("x", new(rows, columns)), t.Output("rounded", new(rows, columns), DType.BFloat16));
                t.Backend.Linear.Forward(x, t.Input("w", new(columns, columns)), y);
                Bf16AttentionTests.Run(t, rows, headDim, examples: 2);
            },
            DType.BFloat16);
    }

    /// <summary>Gradients of logits are rounded for two products: by rows where their number is odd, by columns for the
    /// weight's gradient, and as floats where bf16 is emulated.</summary>
    [TestCase(4000, false, false)]
    [TestCase(4001, false, false)]
    [TestCase(4000, true, false)]
    [TestCase(4001, true, true)]
    public void A_head_takes_no_more_than_is_granted(int vocabulary, bool learns, bool emulates)
    {
        const int Rows = 384, Columns = 1024;
        TakesNoMoreThanIsGranted(
            new(Rows, 1, Columns, 1, 1, 16, 0, false) { Logits = (Rows, vocabulary), LearnsHead = learns },
            t =>
            {
                var x = t.Input("x", new(Rows, Columns), DType.BFloat16);
                var dLogits = t.Input("d_logits", new(Rows, vocabulary), DType.BFloat16);
                var w = t.Input("w", new(vocabulary, Columns));
                t.Backend.Linear.BackwardInput(dLogits, w, t.Output("dx", x.Shape), accumulate: false);
                if (learns)
                {
                    t.Backend.Linear.BackwardWeight(dLogits, x, t.Gradient("dw", w.Shape, DType.Float32), null);
                }

                // What every pass of such rows takes.
                t.Backend.Linear.Forward(
                    t.Input("h", x.Shape), t.Input("v", new(Columns, Columns)), t.Output("y", x.Shape, DType.BFloat16));
            },
            DType.BFloat16, emulates);
    }

    /// <summary>Columns that reach the threshold are kept apart; the head is a product of its own.</summary>
    [TestCase(DType.Float32)]
    [TestCase(DType.BFloat16)]      // runs on widened copies
    public void Quantized_activations_on_the_cpu_take_no_more_than_is_granted(DType kept)
    {
        const int Rows = 900, Columns = 256;
        TakesNoMoreThanIsGranted(
            new(Rows, Rows / 2, Columns, 4, 2, 64, 0, false) { QuantizesActivations = true },
            t =>
            {
                var format = new Int8Format(Columns, threshold: 6);
                using var memory = new HostMemory(format.Bytes(new(Columns, Columns)), "blocks");
                memory.Write(0, new byte[memory.ByteCount]);
                var weight = t.Backend.Import(memory, 0, new(Columns, Columns), format, "w");
                var (x, y) = (t.Input("x", new(Rows, Columns), kept, scale: 3), t.Output("y", new(Rows, Columns), kept));
                t.Backend.Linear.Forward(x, weight, y);
                t.Backend.Linear.Forward(x, t.Input("head", new(Columns, Columns), DType.Float32), y);
                if (kept == DType.BFloat16)
                {
                    Bf16AttentionTests.Run(t, Rows, 64, examples: 2);
                }
            },
            kept);
    }

    [TestCase(300, 1)]
    [TestCase(900, 4)]
    public void Disentangled_attention_on_the_cpu_takes_no_more_than_is_granted(int rows, int sequences) =>
        TakesNoMoreThanIsGranted(
            // Sequences of growing length: the last is the longest. The tests' distances are eight.
            new(
                rows, rows - ((sequences - 1) * (sequences - 1) * rows / (sequences * sequences)),
                64, 2, 2, 32, 0, false)
            {
                Distances = 8,
            },
            t => DisentangledAttentionTests.Backward(t, rows, 2, 32, sequences));

    [TestCase(20, 0.3)]
    [TestCase(24, 0.0)]
    public void A_gpu_takes_no_more_than_is_granted(int rank, double dropout)
    {
        const int Rows = 40, Columns = 64, Keys = 200;
        using var interpreter = new PtxInterpreter();
        using var backend = GpuBackend.OpenInterpreted(DType.BFloat16, interpreter);
        using var t = new TestTensors(backend);
        Tensor Narrow(string name) => t.Input(name, new(Rows, rank));
        var drop = new Dropout(dropout, Philox.Stream(1, "dropout"));
        var (x, a, b) = (t.Input("x", new(Rows, Columns)), t.Input("a", new(rank, Columns), DType.Float32),
            t.Input("b", new(Columns, rank), DType.Float32));
        var (weight, lora) = (t.Input("w", new(Columns, Columns)), new LoraTerm(a, b, 2, drop, Narrow("u")));
        backend.Linear.Forward(x, weight, lora, default, t.Output("y", x.Shape));
        var into = new LoraGradients(
            Narrow("du"), t.Gradient("da", a.Shape, a.Type), t.Gradient("db", b.Shape, b.Type));
        backend.Linear.BackwardLora(
            t.Input("dy", x.Shape), x, weight, lora, into, t.Output("dx", x.Shape), accumulate: false);
        var lastKey = Enumerable.Repeat(Keys - 1, 32).ToArray();
        var input = new AttentionInput(
            t.Input("q", new(32, Columns)), t.Input("k", new(Keys, 32)), t.Input("v", new(Keys, 32)),
            t.Ints("first", new int[32]), t.Ints("last", lastKey), 16, 1);
        backend.Attention.Forward(
            input, t.Output("mixed", new(32, Columns)), t.Output("logSum", new(32, 4), DType.Float32));

        var granted = backend.ScratchBytes(new(Rows, Rows, Columns, 4, 2, 16, rank, dropout > 0))
            - GpuDevice.StagingBytes - GpuDoubleBuffer.StagingBytes;
        Assert.That(backend.HeldScratch, Is.InRange(0.95 * granted, granted));
    }

    [TestCase(DType.Float32)]
    [TestCase(DType.BFloat16)]
    public void Quantized_activations_on_a_gpu_take_no_more_than_is_granted(DType activation)
    {
        const int Rows = 40, Columns = 64;
        using var interpreter = new PtxInterpreter();
        using var backend = GpuBackend.OpenInterpreted(activation, interpreter);
        using var t = new TestTensors(backend);
        var format = new Int8Format(Columns, threshold: 6);
        using var memory = new HostMemory(format.Bytes(new(Columns, Columns)), "blocks");
        memory.Write(0, new byte[memory.ByteCount]);
        var weight = backend.Import(memory, 0, new(Columns, Columns), format, "w");
        var before = backend.HeldScratch;
        backend.Linear.Forward(t.Input("x", new(Rows, Columns)), weight, t.Output("y", new(Rows, Columns)));
        var work = new WorkSize(Rows, Rows, Columns, 4, 2, 16, 0, false);
        var granted = backend.ScratchBytes(work with { QuantizesActivations = true }) - backend.ScratchBytes(work);
        Assert.That(backend.HeldScratch - before, Is.InRange(0.95 * granted, granted));
    }

    /// <summary>On a thread of its own, which holds no scratch yet.</summary>
    private static void TakesNoMoreThanIsGranted(
        WorkSize work, Action<TestTensors> run, DType arithmetic = DType.Float32, bool emulates = false)
    {
        var (held, granted) = (0L, 0L);
        var thread = new Thread(() =>
        {
            using var backend = emulates ? CpuBackend.EmulatingBFloat16(1) : new CpuBackend(1, arithmetic);
            using var t = new TestTensors(backend);
            run(t);
            (held, granted) = (ThreadScratch.Held + GrowingScratch.Held, backend.ScratchBytes(work));
        });
        thread.Start();
        thread.Join();
        TestContext.Out.WriteLine($"held {held}, granted {granted}");
        Assert.That(held, Is.InRange(0.4 * granted, granted));
    }
}
