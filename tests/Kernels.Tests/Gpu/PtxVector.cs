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
    /// <param name="name">The kernel's; more than one may stand in a module.</param>
    public string Kernel(string name = "vector") => Header + Entry(name);

    /// <summary>The first lines of a module.</summary>
    public const string Header = ".version 7.0\n.target sm_80\n.address_size 64\n";

    /// <summary>The kernel without a module's first lines.</summary>
    public string Entry(string name)
    {
        var (inputs, outputs) = (Inputs(0).Length, Outputs(0).Length);
        string Each(int count, Func<int, string> line) => string.Concat(Enumerable.Range(0, count).Select(line));
        return $$"""
            .visible .entry {{name}}(.param .b64 given, .param .b64 found, .param .f32 half, .param .b32 seven)
            {
            .reg .b32 x<8>;
            .reg .b32 y<8>;
            .reg .b32 r<8>;
            .reg .b16 z<4>;
            .reg .pred h<4>;
            .reg .b64 d<12>;
            .shared .align 16 .b8 rows[2048];
            .local .align 8 .b8 own[16];
            ld.param.b64 d0, [given];
            ld.param.b64 d1, [found];
            cvta.to.global.u64 d0, d0;
            cvta.to.global.u64 d1, d1;
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

    /// <summary>The opcodes that it executes, those of its reading and writing too.</summary>
    public IEnumerable<string> Opcodes => new PtxProgram(Kernel()).Instructions.Select(i => i.Opcode);

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
