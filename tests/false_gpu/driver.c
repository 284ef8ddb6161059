/* The part of the driver (libcuda.so.1) that torch asks before it uses the runtime. */
#include <string.h>
int cuInit(unsigned f){return 0;} int cuDriverGetVersion(int*v){*v=13000;return 0;}
int cuDevicePrimaryCtxGetState(int d,unsigned*f,int*a){if(f)*f=0;if(a)*a=1;return 0;}
int cuDeviceGetCount(int*c){*c=1;return 0;} int cuDeviceGet(int*d,int o){*d=0;return 0;}
int cuDeviceGetAttribute(int*v,int a,int d){*v=(a==75)?9:(a==76)?0:(a==16)?132:(a==97)?232448:(a==10)?32:0;return 0;}
int cuCtxGetCurrent(void**p){*p=(void*)1;return 0;}
int cuGetErrorString(int e,const char**s){*s="stub";return 0;} int cuGetErrorName(int e,const char**s){*s="stub";return 0;}
int cuGetProcAddress_v2(const char*s,void**p,int v,unsigned long f,void*q){*p=0;return 500;}
int cuCtxGetLimit(){return 0;}
int cuCtxSetCurrent(){return 0;}
int cuCtxSetLimit(){return 0;}
int cuDevicePrimaryCtxRetain(){return 0;}
int cuFuncGetAttribute(){return 0;}
int cuFuncSetAttribute(){return 0;}
int cuFuncSetCacheConfig(){return 0;}
int cuModuleGetFunction(){return 0;}
int cuModuleLoadData(){return 0;}
