namespace SafeLlama.Kernels.Tests;

/// <summary>An instruction, what a warp's lanes give it, and what NVIDIA's "PTX ISA" says they receive.</summary>
/// <param name="Name">For messages.</param>
/// <param name="Text">PTX: inputs are x0, x1 …, outputs y0, y1 …, each of 32 bits.</param>
/// <param name="Inputs">What a lane gives.</param>
/// <param name="Outputs">What the lane receives.</param>
/// <param name="UlpTolerance">How far a result may be off, in units of its last place; 0 where the ISA says
/// exactly.</param>
internal sealed record PtxVector(
    string Name, string Text, Func<int, uint[]> Inputs, Func<int, uint[]> Outputs, int UlpTolerance = 0)
{
    public const int Lanes = 32;

    /// <summary>A kernel that reads each lane's inputs, executes the text and writes the lane's outputs.</summary>
    public string Kernel()
    {
        var (inputs, outputs) = (Inputs(0).Length, Outputs(0).Length);
        string Each(int count, Func<int, string> line) => string.Concat(Enumerable.Range(0, count).Select(line));
        return $$"""
            .version 7.0
            .target sm_80
            .address_size 64
            .visible .entry vector(.param .u64 given, .param .u64 found)
            {
            .reg .b32 x<8>;
            .reg .b32 y<8>;
            .reg .b32 r<8>;
            .reg .pred h<2>;
            .reg .b64 d<8>;
            .shared .align 16 .b8 rows[512];
            ld.param.u64 d0, [given];
            ld.param.u64 d1, [found];
            mov.u32 r0, %tid.x;
            mul.wide.u32 d2, r0, {{4 * inputs}};
            add.s64 d0, d0, d2;
            mul.wide.u32 d3, r0, {{4 * outputs}};
            add.s64 d1, d1, d3;
            mov.u32 r1, rows;
            shl.b32 r2, r0, 4;
            add.s32 r1, r1, r2;
            {{Each(inputs, i => $"ld.global.b32 x{i}, [d0+{4 * i}];\n")}}
            {{Text}}
            {{Each(outputs, i => $"st.global.b32 [d1+{4 * i}], y{i};\n")}}
            ret;
            }
            """;
    }

    public uint[] AllInputs => [.. Enumerable.Range(0, Lanes).SelectMany(Inputs)];

    /// <summary>Fails where a lane received something else.</summary>
    public void Check(ReadOnlySpan<uint> found)
    {
        var count = Outputs(0).Length;
        for (var lane = 0; lane < Lanes; lane++)
        {
            var expected = Outputs(lane);
            for (var i = 0; i < count; i++)
            {
                var seen = found[(lane * count) + i];
                var bothNaN = UlpTolerance > 0 && float.IsNaN(BitConverter.UInt32BitsToSingle(seen))
                    && float.IsNaN(BitConverter.UInt32BitsToSingle(expected[i]));
                if (!bothNaN && Math.Abs((long)seen - expected[i]) > UlpTolerance)
                {
                    Assert.Fail($"{Name}, lane {lane}, result {i}: {seen:X8}, the ISA says {expected[i]:X8}");
                }
            }
        }
    }
}
