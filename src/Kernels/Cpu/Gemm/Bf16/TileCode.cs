using static SafeLlama.Kernels.Registers;

namespace SafeLlama.Kernels;

/// <summary>Writes the machine code of one register tile of the bf16 product.</summary>
/// <remarks>
/// <code>
/// sums     zmm0 … zmm23     row r, vector v: zmm(vectors · r + v)
/// B        zmm24, zmm25     32 pairs of one step
/// A        zmm26 … zmm31    a pair, the same in every lane
/// pointers rax, r8, r9, r10 rows 0, 3, 6, 9 of A; r11 the stride; rdx the panel; rcx the arguments
/// </code>
/// Only registers that neither calling convention wants back are used, except for xmm6–15 on Windows, which the
/// arguments have room for. The stack pointer never moves, so the code is a leaf and needs no unwind data.
/// </remarks>
internal sealed class TileCode
{
    /// <summary>Rows of the tallest tile.</summary>
    public const int Rows = 12;

    /// <summary>Columns of the widest tile.</summary>
    public const int Columns = 32;

    /// <summary>Steps (pairs of k) of one turn of the loop.</summary>
    public const int Unroll = 2;

    /// <summary>Bytes of a step of B.</summary>
    public const int StepBytes = 128;

    /// <summary>Bytes of a step of A in panels.</summary>
    public const int APanelBytes = 4 * Rows;

    private const int StepsAhead = 16;
    private const int LoraStepsAhead = 4;
    private const int FirstB = 24;
    private const int FirstA = 26;
    private const int RegistersOfA = 6;
    private const int Scale = 26;
    private const int LastMask = 1;

    private readonly Encoder _code;
    private readonly TileForm _form;
    private readonly int _rows;
    private readonly int _vectors;

    private TileCode(TileForm form, int rows, int vectors, bool windows, bool lists)
    {
        (_form, _rows, _vectors, _code) = (form, rows, vectors, new Encoder(lists));
        Enter(windows);
        PrefetchResult();
        Sum();
        SumLora();
        Store();
        Leave(windows);
    }

    /// <summary>The code of a function that takes the address of its <see cref="TileArguments"/>.</summary>
    /// <param name="form">How A lies.</param>
    /// <param name="rows">1 to 12.</param>
    /// <param name="vectors">1 or 2, of 16 columns each.</param>
    /// <param name="windows">Whether Windows' calling convention holds, else System V's.</param>
    public static byte[] Write(TileForm form, int rows, int vectors, bool windows) =>
        new TileCode(form, rows, vectors, windows, lists: false)._code.ToBytes();

    /// <summary>The same code as text, with comments.</summary>
    public static IReadOnlyList<string> List(TileForm form, int rows, int vectors, bool windows) =>
        new TileCode(form, rows, vectors, windows, lists: true)._code.Listing;

    private static Operand Argument(string field, int more = 0) => new(Rcx, TileArguments.OffsetOf(field) + more);

    private void Enter(bool windows)
    {
        _code.Comment("rcx: the arguments");
        if (!windows)
        {
            _code.Move(Rcx, Rdi);
            return;
        }

        for (var x = 6; x < 16; x++)
        {
            _code.StoreXmm(Argument(nameof(TileArguments.Saved), 16 * (x - 6)), x);
        }
    }

    private void Leave(bool windows)
    {
        for (var x = 6; windows && x < 16; x++)
        {
            _code.LoadXmm(x, Argument(nameof(TileArguments.Saved), 16 * (x - 6)));
        }

        _code.ZeroUpper();
        _code.Return();
    }

    /// <summary>C is fetched while k runs; otherwise the stores at the end would wait for memory.</summary>
    private void PrefetchResult()
    {
        _code.Comment("fetch C into L1 while k runs");
        _code.Load(Rax, Argument(nameof(TileArguments.C)));
        _code.Load(R11, Argument(nameof(TileArguments.CRowBytes)));
        for (var row = 0; row < _rows; row++)
        {
            for (var v = 0; v < _vectors; v++)
            {
                _code.PrefetchL1(new(Rax, 64 * v));
            }

            if (row + 1 < _rows)
            {
                _code.Add(Rax, R11);
            }
        }
    }

    private void Sum()
    {
        _code.Comment("the sums");
        for (var i = 0; i < _rows * _vectors; i++)
        {
            _code.Zero(i);
        }

        _code.Load(Rax, Argument(nameof(TileArguments.A)));
        _code.Load(R11, Argument(nameof(TileArguments.ARowBytes)));
        _code.Load(Rdx, Argument(nameof(TileArguments.B)));
        var (panels, aStep) = (_form != TileForm.Rows, _form == TileForm.Scores ? StepBytes : APanelBytes);
        if (!panels)
        {
            PointAtRows();
        }

        _code.Comment("two steps of k: 32 pairs of B each, and a pair of every row of A");
        var loop = _code.LabelHere();
        for (var step = 0; step < Unroll; step++)
        {
            LoadB(step, StepsAhead);
            for (var row = 0; row < _rows; row++)
            {
                var a = FirstA + (row % RegistersOfA);
                _code.BroadcastPair(a, panels ? new(Rax, (step * aStep) + (4 * row)) : RowOfA(row, 4 * step));
                for (var v = 0; v < _vectors; v++)
                {
                    _code.DotBFloat16((row * _vectors) + v, FirstB + v, a);
                }
            }
        }

        if (panels)
        {
            _code.AddImmediate(Rax, Unroll * aStep);
        }
        else
        {
            Advance(4 * Unroll);
        }

        EndLoop(loop, Unroll, nameof(TileArguments.BEnd));
    }

    /// <summary>The LoRA branch: fp32 in both operands, r more steps on the same sums.</summary>
    private void SumLora()
    {
        _code.Comment("the LoRA branch, if there is one: r steps in fp32 on the same sums");
        _code.Load(Rdx, Argument(nameof(TileArguments.LoraB)));
        _code.Compare(Rdx, Argument(nameof(TileArguments.LoraBEnd)));
        var none = _code.LabelAhead();
        _code.JumpAhead(Condition.AboveOrEqual, none);
        _code.Load(Rax, Argument(nameof(TileArguments.LoraA)));
        _code.Load(R11, Argument(nameof(TileArguments.LoraARowBytes)));
        PointAtRows();
        var loop = _code.LabelHere();
        LoadB(0, LoraStepsAhead);
        for (var row = 0; row < _rows; row++)
        {
            var a = FirstA + (row % RegistersOfA);
            _code.BroadcastFloat(a, RowOfA(row, 0));
            for (var v = 0; v < _vectors; v++)
            {
                _code.MultiplyAdd((row * _vectors) + v, FirstB + v, a);
            }
        }

        Advance(4);
        EndLoop(loop, 1, nameof(TileArguments.LoraBEnd));
        _code.Place(none);
    }

    /// <summary>rax, r8, r9 and r10 point at rows 0, 3, 6 and 9; rows between are one or two strides on.</summary>
    private void PointAtRows()
    {
        if (_rows <= 3)
        {
            return;
        }

        _code.LoadAddress(R8, new(R11, 0, R11, 2));
        _code.LoadAddress(R9, new(Rax, 0, R8, 2));
        if (_rows > 9)
        {
            _code.LoadAddress(R10, new(R9, 0, R8));
        }

        _code.Add(R8, Rax);
    }

    private static Operand RowOfA(int row, int displacement)
    {
        ReadOnlySpan<int> pointers = [Rax, R8, R9, R10];
        var pointer = pointers[row / 3];
        return row % 3 == 0 ? new(pointer, displacement) : new(pointer, displacement, R11, row % 3);
    }

    private void Advance(int bytes)
    {
        ReadOnlySpan<int> pointers = [Rax, R8, R9, R10];
        for (var i = 0; 3 * i < _rows; i++)
        {
            _code.AddImmediate(pointers[i], bytes);
        }
    }

    private void LoadB(int step, int stepsAhead)
    {
        for (var v = 0; v < _vectors; v++)
        {
            _code.PrefetchL1(new(Rdx, ((step + stepsAhead) * StepBytes) + (64 * v)));
        }

        for (var v = 0; v < _vectors; v++)
        {
            _code.LoadVector(FirstB + v, new(Rdx, (step * StepBytes) + (64 * v)));
        }
    }

    private void EndLoop(int loop, int steps, string end)
    {
        _code.AddImmediate(Rdx, steps * StepBytes);
        _code.Compare(Rdx, Argument(end));
        _code.JumpBack(Condition.Below, loop);
    }

    private void Store()
    {
        _code.Comment("C = scale · sum + addend, or scale · sum");
        _code.LoadMask(LastMask, Argument(nameof(TileArguments.LastMask)));
        _code.BroadcastFloat(Scale, Argument(nameof(TileArguments.Scale)));
        _code.Load(Rax, Argument(nameof(TileArguments.C)));
        _code.Load(R11, Argument(nameof(TileArguments.CRowBytes)));
        _code.Load(Rdx, Argument(nameof(TileArguments.Addend)));
        _code.Load(R8, Argument(nameof(TileArguments.AddendRowBytes)));
        _code.Test(Rdx);
        var (plain, done) = (_code.LabelAhead(), _code.LabelAhead());
        _code.JumpAhead(Condition.Zero, plain);
        StoreRows(added: true);
        _code.JumpAhead(Condition.Always, done);
        _code.Place(plain);
        StoreRows(added: false);
        _code.Place(done);
    }

    private void StoreRows(bool added)
    {
        for (var row = 0; row < _rows; row++)
        {
            for (var v = 0; v < _vectors; v++)
            {
                var sum = (row * _vectors) + v;
                var mask = v == _vectors - 1 ? LastMask : 0;
                if (added)
                {
                    _code.ScaleAndAdd(sum, Scale, new(Rdx, 64 * v), mask);
                }
                else
                {
                    _code.Multiply(sum, sum, Scale);
                }

                _code.StoreVector(new(Rax, 64 * v), sum, mask);
            }

            if (row + 1 < _rows)
            {
                _code.Add(Rax, R11);
                if (added)
                {
                    _code.Add(Rdx, R8);
                }
            }
        }
    }
}
